import { z } from 'zod';
import type { Call } from '../call.ts';
import type { Json } from '../canonical.ts';
import { isObject } from '../json-values.ts';
import { type Price, priceFrom } from '../price.ts';
import { CALL_FACTS } from '../signals/call-facts.ts';
import type { LiveFigures } from './live-figures.ts';

/** What an operator knows of a target. What is not said is taken to be possible. */
export const TargetFactsSchema = z.strictObject({
  input_usd: z.number().min(0).optional().describe('USD a million tokens of the request.'),
  output_usd: z.number().min(0).optional().describe('USD a million tokens of the answer.'),
  quality: z.number().min(0).max(1).optional().describe('How good its answers are, 0 to 1.'),
  vision: z.boolean().optional().describe('Whether it sees images.'),
  tools: z.boolean().optional().describe('Whether it calls tools.'),
  json: z.boolean().optional().describe('Whether it keeps to a JSON format that is asked for.'),
  context_tokens: z.int().min(1).optional().describe('Tokens that request and answer may have.'),
});

export type TargetFacts = z.output<typeof TargetFactsSchema>;

/** What a call asks of whoever answers it. */
export interface Needs {
  readonly vision: boolean;
  readonly tools: boolean;
  readonly json: boolean;
  /** Of the request and the answer that it may get. */
  readonly tokens: number;
}

const BYTES_PER_TOKEN = 4;

export function needsOf(call: Call): Needs {
  const { body, raw } = call;
  const asked = body.max_completion_tokens ?? body.max_tokens ?? body.max_output_tokens;
  return {
    vision: CALL_FACTS.images.of(call) > 0n,
    tools: Array.isArray(body.tools) && body.tools.length > 0,
    json: asksForJson(body.response_format) || asksForJson(formatOf(body.text)),
    tokens: raw.length / BYTES_PER_TOKEN + (typeof asked === 'number' ? asked : 0),
  };
}

const formatOf = (text: Json | undefined): Json | undefined =>
  isObject(text) ? text.format : undefined;

const asksForJson = (format: Json | undefined): boolean =>
  isObject(format) && (format.type === 'json_object' || format.type === 'json_schema');

export function isCapable(facts: TargetFacts | undefined, needs: Needs): boolean {
  if (facts === undefined) return true;
  if (needs.vision && facts.vision === false) return false;
  if (needs.tools && facts.tools === false) return false;
  if (needs.json && facts.json === false) return false;
  return facts.context_tokens === undefined || needs.tokens <= facts.context_tokens;
}

/** Whether some target says of itself that it cannot do everything. */
export function anyLimits(facts: Readonly<Record<string, TargetFacts>>): boolean {
  return Object.values(facts).some(
    ({ vision, tools, json, context_tokens }) =>
      vision === false || tools === false || json === false || context_tokens !== undefined,
  );
}

/** Tokens that an answer is taken to have, a token of the request, where prices are compared. */
const ANSWER_SHARE = 0.5;

/** USD a million tokens of a usual call; infinite where no price is known. */
export function priceOf(facts: TargetFacts | undefined): number {
  const { input_usd, output_usd } = facts ?? {};
  if (input_usd === undefined && output_usd === undefined) return Number.POSITIVE_INFINITY;
  return (input_usd ?? 0) + ANSWER_SHARE * (output_usd ?? 0);
}

/** What `facts` says that a target's tokens cost, or null where it says nothing. */
export function statedPrice({ input_usd, output_usd }: TargetFacts): Price | null {
  if (input_usd === undefined && output_usd === undefined) return null;
  return priceFrom({ input_usd: input_usd ?? 0, output_usd: output_usd ?? 0 });
}

/**
 * USD that a call is expected to cost at a price: its bytes as tokens, and an answer as long as the
 * target's usually are.
 */
export function usualCost(
  price: Price,
  { raw }: Call,
  figures: Readonly<LiveFigures> | null,
): number {
  const tokens_in = raw.length / BYTES_PER_TOKEN;
  const known = figures !== null && !Number.isNaN(figures.tokens_out);
  const tokens_out = known ? figures.tokens_out : ANSWER_SHARE * tokens_in;
  return (tokens_in * price.input + tokens_out * price.output) / 1e12;
}

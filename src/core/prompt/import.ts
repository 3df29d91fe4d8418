import type { Json, JsonObject } from '../canonical.ts';
import { GatewayError } from '../errors.ts';
import { isObject, textIn } from '../json-values.ts';
import type { ExampleMessage, PromptOp, PromptVersion } from './version.ts';

/** How a result of a prompt optimiser becomes a version. */
export interface ImportWords {
  /** Which component of a GEPA candidate, or predictor of a DSPy program; needed among several. */
  readonly component?: string;
  /** The text of the system message that the instruction replaces; without it it is appended. */
  readonly anchor?: string;
  /** The fields that a DSPy program answers with; without them its last one. */
  readonly outputs?: readonly string[];
}

/**
 * A version of a prompt from what DSPy (`program.save('x.json')`), GEPA (`result.to_dict()` or one
 * candidate) or this product wrote. Examples become messages, an instruction an operation. Throws
 * `bad_request` where it is none of these, or more than one prompt.
 */
export function importResult(result: Json, words: ImportWords): PromptVersion {
  if (!isObject(result)) throw refused('the file holds no JSON object');
  if (Array.isArray(result.ops)) return result as unknown as PromptVersion;
  if (Array.isArray(result.candidates)) return fromGepa(bestOf(result), words);
  const predictors = predictorsOf(result);
  if (Object.keys(predictors).length > 0) {
    const [name, state] = chosen(predictors, words.component, 'predictor');
    return fromDspy(name, state, words);
  }
  return fromGepa(result, words);
}

/** GEPA's candidate of the best score: `dict[component -> text]`. */
function bestOf({ candidates, best_idx, val_aggregate_scores }: JsonObject): Json {
  const list = candidates as readonly Json[];
  const scores = Array.isArray(val_aggregate_scores) ? (val_aggregate_scores as Json[]) : [];
  const numbers = scores.map((score) => (typeof score === 'number' ? score : -Infinity));
  const best = typeof best_idx === 'number' ? best_idx : numbers.indexOf(Math.max(...numbers));
  const candidate = list[best];
  if (candidate === undefined) throw refused('no candidate has a best_idx or a score');
  return candidate;
}

function fromGepa(candidate: Json, { component, anchor }: ImportWords): PromptVersion {
  const entries = isObject(candidate) ? Object.entries(candidate) : [];
  if (entries.length === 0 || !entries.every(([, text]) => typeof text === 'string')) {
    throw refused('it is no result of GEPA, no program of DSPy and no version of a prompt');
  }
  const [name, text] = chosen(Object.fromEntries(entries), component, 'component');
  return {
    ops: [instruction(text as string, anchor)],
    author: 'gepa',
    note: `imported: component ${name}`,
  };
}

/** A program is a predictor itself, or has them by name. */
function predictorsOf(result: JsonObject): Readonly<Record<string, JsonObject>> {
  if (isPredictor(result)) return { self: result };
  const named = Object.entries(result).filter(([, value]) => isPredictor(value));
  return Object.fromEntries(named) as Record<string, JsonObject>;
}

function isPredictor(value: Json | undefined): boolean {
  return isObject(value) && Array.isArray(value.demos) && isObject(value.signature);
}

function fromDspy(name: string, state: JsonObject, words: ImportWords): PromptVersion {
  const signature = state.signature as JsonObject;
  const ops: PromptOp[] = [];
  const text = textIn(signature.instructions);
  if (text !== '') ops.push(instruction(text, words.anchor));
  const messages = (state.demos as readonly Json[]).flatMap((demo) =>
    isObject(demo) ? exampleOf(demo, words.outputs) : [],
  );
  if (messages.length > 0) ops.push({ op: 'fewshot.insert', at: 'after-system', messages });
  if (ops.length === 0) throw refused(`predictor ${name} has neither instructions nor demos`);
  return { ops, author: 'dspy', note: `imported: predictor ${name}` };
}

/** What DSPy notes of a demo for itself. */
const MARKS: ReadonlySet<string> = new Set(['augmented', 'dspy_uuid', 'dspy_split']);

/** The inputs as what a user asks, the outputs as the answer; an incomplete demo is none. */
function exampleOf(demo: JsonObject, outputs?: readonly string[]): readonly ExampleMessage[] {
  const fields = Object.entries(demo).filter(([name]) => !MARKS.has(name));
  const last = fields.at(-1)?.[0] ?? '';
  const answers = new Set(outputs ?? [last]);
  const asked = fields.filter(([name]) => !answers.has(name));
  const answered = fields.filter(([name]) => answers.has(name));
  if (asked.length === 0 || answered.length < answers.size) return [];
  return [
    { role: 'user', content: fieldsText(asked) },
    { role: 'assistant', content: fieldsText(answered) },
  ];
}

function fieldsText(fields: readonly (readonly [string, Json])[]): string {
  const [only] = fields;
  if (fields.length === 1 && only) return valueText(only[1]);
  return fields.map(([name, value]) => `${name}: ${valueText(value)}`).join('\n');
}

function valueText(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function instruction(text: string, anchor: string | undefined): PromptOp {
  if (anchor === undefined) return { op: 'system.append', text };
  return { op: 'replace', target: 'system', anchor, text };
}

function chosen<Value>(
  among: Readonly<Record<string, Value>>,
  name: string | undefined,
  what: string,
): readonly [string, Value] {
  const names = Object.keys(among);
  const found = name ?? (names.length === 1 ? names[0] : undefined);
  if (found !== undefined && Object.hasOwn(among, found)) return [found, among[found] as Value];
  throw refused(`name one ${what} with --component: ${names.join(', ')}`);
}

function refused(message: string): GatewayError {
  return new GatewayError('bad_request', message, { param: 'file' });
}

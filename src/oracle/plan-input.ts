import { z } from 'zod';
import { GatewayError } from '../core/errors.ts';
import { type Analysis, type Finding, METRICS_OF_HARM, type Metric } from '../core/oracle.ts';
import { findingsByIds, readAnalysis } from '../store/audit-trail.ts';
import type { Db } from '../store/open.ts';
import { idOfCopy, isFields, refuseEdited } from './copies.ts';

const MUTATIONS_MAX = 20;
const FINDINGS_MAX = 1000;

const jsonObject = z.record(z.string(), z.json());

const asked = z.strictObject({
  type: z.enum([
    'PROMPT_PATCH',
    'MODEL_SWAP',
    'LORA_APPLY',
    'ROUTE_CHANGE',
    'PARAM_SET',
    'MEMORY_UPDATE',
  ]),
  agent: z.string().min(1),
  patch: jsonObject.refine((patch) => Object.keys(patch).length > 0, 'must write something'),
  primary: z.enum(METRICS_OF_HARM as [Metric, ...Metric[]]).default('dissatisfied'),
  why: z.string().max(2000).optional(),
});
const askedList = z.array(asked).max(MUTATIONS_MAX);
export type AskedMutation = z.infer<typeof asked>;

/** A person's own mutations; a wrong shape is a `bad_request` that names the field. */
export function parseMutations(
  input: unknown,
  agents: readonly string[],
): readonly AskedMutation[] {
  const parsed = askedList.safeParse(input);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const param = pathOf(issue?.path ?? []);
    throw new GatewayError('bad_request', `${param}: ${issue?.message ?? 'not valid'}`, { param });
  }
  if (parsed.data.length === 0) throw nothingToPlan('mutations');
  for (const [index, { agent }] of parsed.data.entries()) {
    if (agents.includes(agent)) continue;
    const param = `mutations[${index}].agent`;
    const message = `${param}: no agent is named ${agent}; there are ${agents.join(', ')}`;
    throw new GatewayError('bad_request', message, { param });
  }
  return parsed.data;
}

function nothingToPlan(param: 'findings' | 'mutations'): GatewayError {
  const message = `There is nothing to plan: ${param} is empty.`;
  return new GatewayError('bad_request', message, { param });
}

function pathOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, token) => {
    return typeof token === 'number' ? `${text}[${token}]` : `${text}.${String(token)}`;
  }, 'mutations');
}

/**
 * The stored findings that a client names: by an analysis, by copies of findings, or by their ids.
 * A copy that was edited is refused, an id that is unknown is `not_found`.
 */
export async function findingsNamed(
  db: Db,
  input: unknown,
): Promise<{ readonly findings: readonly Finding[]; readonly analysis: string | null }> {
  if (!Array.isArray(input)) {
    if (!isFields(input) && typeof input !== 'string') {
      const message = 'findings must be an analysis, or a list of findings or of their ids.';
      throw new GatewayError('bad_request', message, { param: 'findings' });
    }
    const analysis = await analysisNamed(db, input);
    return { findings: analysis.findings, analysis: analysis.id };
  }
  if (input.length === 0) throw nothingToPlan('findings');
  if (input.length > FINDINGS_MAX) {
    const message = `findings has ${input.length} entries, more than ${FINDINGS_MAX}.`;
    throw new GatewayError('bad_request', message, { param: 'findings' });
  }
  const ids = input.map((copy, index) => idOfCopy(copy, `findings[${index}]`));
  const stored = new Map((await findingsByIds(db, ids)).map((finding) => [finding.id, finding]));
  const findings = ids.map((id, index) => {
    const finding = stored.get(id);
    if (!finding) throw unknown(`findings[${index}]`, id);
    refuseEdited(input[index], finding, `findings[${index}]`);
    return finding;
  });
  return { findings: [...new Map(findings.map((one) => [one.id, one])).values()], analysis: null };
}

async function analysisNamed(db: Db, copy: unknown): Promise<Analysis> {
  const id = idOfCopy(copy, 'findings');
  const analysis = await readAnalysis(db, id);
  if (!analysis) throw unknown('findings', id);
  refuseEdited(copy, analysis, 'findings');
  return analysis;
}

function unknown(param: string, id: string): GatewayError {
  return new GatewayError('not_found', `${param} names ${id}, which is not known here.`, { param });
}

import { z } from 'zod';
import type { JsonObject } from '../core/canonical.ts';
import type { Cycle } from '../oracle/oracle.ts';
import { percentText, plain, shorten } from './text.ts';

const COLUMN_MAX = 140;

const Collected = z.object({
  segments: z.array(z.object({ segment: z.object({ target: z.null() }), calls: z.number() })),
});
const Analyzed = z.object({
  findings: z.array(z.object({ severity: z.string(), text: z.string() })),
});
const Decided = z.object({
  made: z.array(z.string()),
  withheld: z.array(z.object({ agent: z.string(), reason: z.string() })),
});
const Validated = z.object({ plans: z.array(z.object({ plan: z.string(), status: z.string() })) });
const Executed = z.object({
  executed: z.array(
    z.object({
      plan_id: z.string(),
      refused: z.string().optional(),
      mutations: z.array(z.object({ state: z.string(), share: z.number() })).default([]),
    }),
  ),
  frozen: z.boolean().default(false),
});
const Monitored = z.object({
  canaries: z.array(
    z.object({
      experiment: z.string(),
      state: z.string(),
      share: z.number(),
      judgement: z.object({ reason: z.string() }),
    }),
  ),
});

/** What each stage of a cycle did; a column that this version does not know, as it stands. */
export function cycleText(cycle: Cycle): string {
  const lines = Object.entries(cycle.stages).flatMap(([stage, column]) => {
    const told = linesOf(stage, column) ?? [shorten(JSON.stringify(column), COLUMN_MAX)];
    return told.map((line, index) => `  ${(index === 0 ? stage : '').padEnd(8)}  ${plain(line)}`);
  });
  return [`${cycle.id} is ${cycle.state}.`, ...lines].join('\n');
}

function linesOf(stage: string, column: JsonObject): readonly string[] | null {
  switch (stage) {
    case 'collect':
      return collectLines(column);
    case 'analyze':
      return told(Analyzed, column, 'no findings', ({ findings }) =>
        findings.map(({ severity, text }) => `${severity}: ${text}`),
      );
    case 'decide':
      return told(Decided, column, 'no plans', ({ made, withheld }) => [
        ...made.map((plan) => `planned ${plan}`),
        ...withheld.map(({ agent, reason }) => `nothing for ${agent}: ${reason}`),
      ]);
    case 'validate':
      return told(Validated, column, 'nothing to validate', ({ plans }) =>
        plans.map(({ plan, status }) => validationLine(plan, status)),
      );
    case 'execute':
      return executeLines(column);
    case 'monitor':
      return told(Monitored, column, 'nothing on trial', ({ canaries }) =>
        canaries.map(
          ({ experiment, state, share, judgement }) =>
            `${experiment} is ${state} at ${percentText(share)}: ${judgement.reason}`,
        ),
      );
    default:
      return null;
  }
}

/** The lines that a column of this shape gives, or what none means; null where it is no such. */
function told<Shape>(
  schema: z.ZodType<Shape>,
  column: JsonObject,
  none: string,
  say: (data: Shape) => readonly string[],
): readonly string[] | null {
  const parsed = schema.safeParse(column);
  if (!parsed.success) return null;
  const lines = say(parsed.data);
  return lines.length > 0 ? lines : [none];
}

/** Segments without a target are whole agents: each call is in exactly one of them. */
function collectLines(column: JsonObject): readonly string[] | null {
  const { segments } = column;
  if (!Array.isArray(segments)) return null;
  const agents = segments.filter((one) => {
    return Collected.safeParse({ segments: [one] }).success;
  });
  return told(Collected, { segments: agents }, 'no calls in the window', (data) => {
    const calls = data.segments.reduce((sum, one) => sum + one.calls, 0);
    const of = `${data.segments.length} agent${data.segments.length === 1 ? '' : 's'}`;
    return data.segments.length === 0 ? [] : [`${calls} calls of ${of} in the window`];
  });
}

function validationLine(plan: string, status: string): string {
  const next: Readonly<Record<string, string>> = {
    needs_approval: `waits for a person: hive approve ${plan}`,
    failed: `does not pass: hive validate ${plan}`,
  };
  return `${plan} ${next[status] ?? status}`;
}

function executeLines(column: JsonObject): readonly string[] | null {
  return told(Executed, column, 'nothing to execute', ({ executed, frozen }) => {
    if (frozen) return ['frozen: nothing is executed until hive unfreeze'];
    return executed.map(({ plan_id, refused, mutations }) => {
      if (refused !== undefined) return `${plan_id} was refused: ${refused}`;
      const states = mutations.map(({ state, share }) => `${state} at ${percentText(share)}`);
      return `${plan_id} is ${states.join(', ') || 'done'}`;
    });
  });
}

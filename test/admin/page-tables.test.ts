import { describe, expect, test } from 'vitest';
import { proposalSection, targetTable } from '../../src/admin/page-tables.ts';
import type { Status } from '../../src/admin/status.ts';
import type { TargetReport } from '../../src/core/state.ts';
import type { CandidateSummary } from '../../src/oracle/proposals/proposals.ts';

const bySize = (all: number | null) => ({ small: null, medium: null, large: null, all });
const busy: TargetReport = {
  breaker: 'open',
  in_flight: 3,
  queue: 2,
  limit: 8,
  limited: true,
  lately: {
    first_byte_ms: { stream: bySize(412.4), whole: bySize(null) },
    error_rate: 0.125,
    headroom: 0.05,
    requests_left: 12,
    tokens_left: null,
    cost_usd: 0.0000042,
    tokens_out: 120,
  },
};

async function textOf(page: ReturnType<typeof targetTable> | string): Promise<string> {
  return String(await page).replace(/\s+/g, ' ');
}
const targetsShown = (targets: Status['targets']) => textOf(targetTable({ targets } as Status));

describe('targetTable', () => {
  test('targetTable has a row for each target, with what is known of it now', async () => {
    const page = await targetsShown({ sonnet: busy, mini: { breaker: 'closed', in_flight: 0 } });
    const [, mini, sonnet] = page
      .split('<tr>')
      .slice(1)
      .map((row) => row.split('</tr>')[0]);
    expect(mini).toBe(
      '<td>mini</td> <td class="">closed</td> ' +
        '<td>0</td><td>–, –</td><td>–</td><td>–</td><td>–</td>',
    );
    expect(sonnet).toBe(
      '<td>sonnet</td> <td class="bad">open, limited</td> <td>3 of 8, 2 wait</td>' +
        '<td>412 ms, –</td><td>12.5 %</td><td>5 % (12 requests)</td><td>$0.0000042</td>',
    );
  });

  test('targetTable says so where nobody has been heard of, and lets no name act', async () => {
    expect(await targetsShown({})).toContain('None has been heard of.');
    expect(await targetsShown({ '<b>x': busy })).toContain('&lt;b&gt;x');
  });
});

const candidate = {
  id: 'prop_1',
  agent: 'duo',
  state: 'planned',
  reason: 'handed over',
  pairs: { win: 12, loss: 1, tie: 3 },
  evidence: { better: 210.4, worse: 0.01 },
  plan: 'plan_9',
  plan_state: 'needs_approval',
} as unknown as CandidateSummary;
const spent = { day: '2026-01-05', calls: 25, tokens: 900, usd: 0.0123 };
const budget = { calls_per_day: 100, tokens_per_day: 5000, usd_per_day: 2 };
const proposals = { state: 'waiting', reason: 'next look at 12:00', spent, budget };
const shown = (status: object) => textOf(proposalSection(status as Status));

describe('proposalSection', () => {
  test('proposalSection says what they wait for and spent, and what was proposed', async () => {
    const page = await shown({ proposals, candidates: [candidate] });
    expect(page).toContain('<p>waiting: next look at 12:00</p>');
    expect(page).toContain('25 of 100 calls, 900 of 5000 tokens, $0.0123 of $2.');
    expect(page).toContain('<td>12 / 1 / 3</td><td>210</td>');
    expect(page).toContain('<code>plan_9 (needs_approval)</code>');
    expect(page).toContain('npx hive proposals show prop_1');
    const refused = { ...candidate, state: 'refused', plan: null, reason: 'addresses <x>' };
    expect(await shown({ proposals, candidates: [refused] })).toContain('addresses &lt;x&gt;');
    expect(await shown({ proposals, candidates: [] })).toContain('has proposed anything yet');
  });

  test('proposalSection is not there while no model may propose, unless one had', async () => {
    const off = { ...proposals, state: 'off', budget: null };
    expect(await shown({ proposals: off, candidates: [] })).toBe('');
    expect(await shown({ proposals: null, candidates: [] })).toBe('');
    expect(await shown({ proposals: off, candidates: [candidate] })).toContain('prop_1');
    expect(await shown({ proposals: null, candidates: null })).toContain('Unknown');
  });
});

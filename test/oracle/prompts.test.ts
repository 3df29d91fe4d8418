import { describe, expect, test } from 'vitest';
import { fold, versionOf } from '../../src/core/fold.ts';
import { type Policy, promptVersionOf } from '../../src/core/policy.ts';
import { CONTENTS, POLICY } from './kit.ts';
import { codeOf, eachInWorld, ownPlan, type World } from './world.ts';

const PROMPTED: Policy = {
  ...POLICY,
  agents: { ...POLICY.agents, duo: { ...POLICY.agents.duo, prompt: 'tone' } as never },
  prompts: {
    tone: { ...POLICY.prompts.tone, protected: ['audited'] } as never,
  },
};
const SAID = { by: 'ann', note: 'kinder' };
const MOVE = { name: 'tone', label: 'production', version: 2, ...SAID };
const CONTENT = { ops: [{ op: 'system.append', text: 'Be exact.' }] };

let world: World;
eachInWorld((made) => {
  world = made;
}, PROMPTED);

/** The version that an agent gets, as any gateway folds what it was sent. */
function served(agent = 'duo', policy = world.policy): number | null {
  const state = world.state();
  const contents = { ...CONTENTS, ...state.content };
  const folded = fold(policy, state.rows, contents).policy;
  const prompt = folded.agents[agent]?.prompt ?? '';
  const found = promptVersionOf(folded.prompts, prompt);
  return found && contents[found.digest] ? found.version : null;
}

describe('prompt labels', () => {
  test('prompt labels move by a row, and come back by one compare-and-set', async () => {
    const { prompts } = world.oracle;
    const moved = await prompts.label({ ...MOVE, expected: 1 });
    expect(moved).toMatchObject({ from: 1, to: 2, effective: true, already: false });
    expect(served()).toBe(2);
    expect((await prompts.label(MOVE)).already).toBe(true);
    expect(await codeOf(prompts.label({ ...MOVE, version: 1, expected: 1 }))).toBe('superseded');
    const where = { name: 'tone', label: 'production', by: null, note: null };
    expect(await codeOf(prompts.rollback({ ...where, expected: 1 }))).toBe('superseded');
    const back = await prompts.rollback({ ...where, expected: 2 });
    expect(back).toMatchObject({ from: 2, to: 1, policy_version: versionOf(PROMPTED) });
    expect(served()).toBe(1);
    expect(await codeOf(prompts.rollback(where))).toBe('superseded');
  });

  test('prompt labels are journalled before they are in force', async () => {
    world.refuse = true;
    await expect(world.oracle.prompts.label(MOVE)).rejects.toThrow('the disk refuses');
    world.refuse = false;
    expect((await world.oracle.prompts.list())[0]?.labels).toEqual({ production: 1 });
    await world.oracle.prompts.label(MOVE);
    const tables = world.journal.flatMap(({ changes }) => changes.map(({ table }) => table));
    expect(tables).toEqual(['mutations', 'plans']);
  });

  test('prompt labels give way to an edit of the file', async () => {
    await world.oracle.prompts.label(MOVE);
    const tone = { versions: { 1: 'd1', 2: 'd2' }, labels: {} };
    const edited = { ...PROMPTED, prompts: { tone: { ...tone, labels: { production: 2 } } } };
    const state = world.state();
    expect(fold(edited, state.rows, CONTENTS).superseded).toHaveLength(1);
  });

  test('prompt labels that are protected, unknown or of no version do not move', async () => {
    const { prompts } = world.oracle;
    expect(await codeOf(prompts.label({ ...MOVE, label: 'audited' }))).toBe('forbidden');
    expect(await codeOf(prompts.label({ ...MOVE, name: 'tune' }))).toBe('not_found');
    expect(await codeOf(prompts.label({ ...MOVE, version: 9 }))).toBe('not_found');
    world.frozen = true;
    expect(await codeOf(prompts.label(MOVE))).toBe('switched_off');
    expect(world.journal).toEqual([]);
  });

  test('prompt labels stand still while an agent with them is in an experiment', async () => {
    const patch = { agents: { duo: { prompt: 'tone@2' } } };
    const plan = await ownPlan(world, patch, 'PROMPT_PATCH', 'duo');
    await world.oracle.approve(plan.id, null, null);
    const { mutations } = await world.oracle.execute(plan, { dry_run: false });
    expect(await codeOf(world.oracle.prompts.label(MOVE))).toBe('superseded');
    const other = await world.oracle.prompts.label({ ...MOVE, label: 'staging' });
    expect(other).toMatchObject({ from: null, to: 2 });
    const rollback_key = mutations[0]?.rollback_key ?? '';
    await world.oracle.rollback({ rollback_key, emergency: false });
    expect((await world.oracle.prompts.label(MOVE)).to).toBe(2);
  });

  test('prompt labels that people move use up none of the oracle’s changes', async () => {
    const most = PROMPTED.oracle.safety.max_mutations_per_hour;
    for (let turn = 0; turn < most + 2; turn += 1) {
      await world.oracle.prompts.label({ ...MOVE, version: turn % 2 === 0 ? 2 : 1 });
    }
    const plan = await ownPlan(world);
    const { verdicts } = await world.oracle.validate(plan);
    expect(verdicts.find(({ gate }) => gate === 'rate')?.verdict).toBe('pass');
  });
});

describe('prompt versions', () => {
  test('prompt versions get the next number, and the same text is the same one', async () => {
    const { prompts } = world.oracle;
    const brought = await prompts.importVersion({
      name: 'tone',
      content: CONTENT,
      label: 'production',
      ...SAID,
    });
    expect(brought).toMatchObject({ version: 3, from: 1, to: 3, effective: true });
    expect(served()).toBe(3);
    const again = await prompts.importVersion({ name: 'tone', content: CONTENT, ...SAID });
    expect(again).toMatchObject({ version: 3, already: true });
    const detail = await prompts.show('tone', 7);
    expect(detail.versions).toEqual([1, 2, 3]);
    expect(detail.contents.at(-1)).toMatchObject({ version: 3, content: CONTENT });
    expect(detail.contents.at(-1)?.source).toMatch(/^mut_/);
    expect(detail.history[0]).toMatchObject({
      what: ['versions/3', 'labels/production'],
      state: 'applied',
      reason: 'set by ann: kinder',
    });
    expect(detail.agents).toEqual({ duo: 3 });
  });

  test('prompt versions of a new prompt come with its labels, and go with them', async () => {
    const { prompts } = world.oracle;
    const brought = await prompts.importVersion({ name: 'new', content: CONTENT, ...SAID });
    expect(brought).toMatchObject({ version: 1, label: null });
    await prompts.label({ ...MOVE, name: 'new', version: 1 });
    expect((await prompts.list()).map(({ name }) => name)).toEqual(['new', 'tone']);
    const rollback_key = brought.rollback_key ?? '';
    const taken = await world.oracle.rollback({ rollback_key, emergency: false });
    expect(taken.rolled_back).toHaveLength(2);
    expect((await prompts.list()).map(({ name }) => name)).toEqual(['tone']);
  });

  test('prompt versions that are no patch, or too large, are refused', async () => {
    const bring = (content: unknown, name = 'tone') =>
      codeOf(world.oracle.prompts.importVersion({ name, content, ...SAID }));
    expect(await bring({ ops: [] })).toBe('bad_request');
    expect(await bring({ ops: [{ op: 'system.append', text: '{{x}}' }] })).toBe('bad_request');
    expect(await bring(CONTENT, 'No Name')).toBe('bad_request');
    const text = 'x'.repeat(20_000);
    const ops = Array.from({ length: 6 }, () => ({ op: 'system.append', text }));
    expect(await bring({ ops })).toBe('body_too_large');
  });

  test('prompt versions are compared line by line', async () => {
    const { prompts } = world.oracle;
    expect(await prompts.diff('tone', 'production', '2')).toEqual([
      '  system.append',
      '-   Be brief.',
      '+   Be kind.',
    ]);
    expect(await codeOf(prompts.diff('tone', '1', 'nowhere'))).toBe('not_found');
    expect(await codeOf(prompts.show('nothing', 7))).toBe('not_found');
  });
});

import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/core/canonical.ts';
import { linesOf, load } from './world.ts';

/** A prompt file of one version, written from its fifth line on. */
function file(version: string): Record<string, string> {
  const indented = version.replaceAll(/^/gm, '    ');
  const text = `version: 1
name: tone
versions:
  1:
${indented}
  2: { ops: [{ op: user.suffix, text: b }] }
labels: { production: 1 }
`;
  return { 'policies/prompts/tone.yaml': text };
}

describe('prompt schema', () => {
  test('prompt schema reads every operation', () => {
    const { contents, policy } = load(
      file(`match: { models: ["gpt-*"], endpoints: [messages] }
ops:
  - { op: system.append, text: "In {{locale}}.", zone: stable }
  - { op: system.prepend, text: Hello. }
  - { op: replace, target: system, anchor: polite, expect: 2, text: "" }
  - op: fewshot.insert
    at: after-system
    messages: [{ role: user, content: a }, { role: assistant, content: b }]
  - { op: user.suffix, text: "It is {{day}}.", zone: volatile }
vars:
  locale: { from: "header:x-locale", enum: [en, it], default: en }
  day: { from: "call:date" }
limits: { tokens_added_max: 400 }
parent: tone@0
author: gepa
note: why`),
    );
    const digest = policy.prompts.tone?.versions['1'] ?? '';
    expect(contents[digest]?.ops.map(({ op }) => op)).toEqual([
      'system.append',
      'system.prepend',
      'replace',
      'fewshot.insert',
      'user.suffix',
    ]);
  });

  test('prompt schema leaves the digests of old files as they were', () => {
    const { policy } = load(file('ops: [{ op: system.append, text: Be kind. }]'));
    const old = { ops: [{ op: 'system.append', text: 'Be kind.' }] };
    expect(policy.prompts.tone).toEqual({
      versions: { 1: digestOf(old), 2: expect.any(String) },
      labels: { production: 1 },
    });
  });

  test.each([
    ['ops: [{ op: sytem.append, text: a }]', /^prompts\/tone.yaml:5:17 .*expected system.append, /],
    ['ops: [{ op: replace, target: system, text: a }]', /:5:11 .*anchor: missing/],
    ['ops: [{ op: system.append, text: a, zone: volatile }]', /:5:47 .*zone/],
    ['ops: [{ op: user.suffix, txt: a }]', /:5:30 .*unknown key; did you mean text\?/],
    ['ops: [{ op: system.append, text: "{{day}}" }]', /:5:11 .*\{\{day\}\} is none of its vars/],
    [
      'ops: [{ op: system.append, text: "{{day}}" }]\nvars: { day: { from: "call:date" } }',
      /:5:11 .*\{\{day\}\} needs an enum here/,
    ],
    [
      'ops: [{ op: system.append, text: a }]\nvars: { k: { from: "header:x-api-key" } }',
      /:6:24 .*write header:x-/,
    ],
    [
      'ops: [{ op: system.append, text: a very long text }]\nlimits: { tokens_added_max: 2 }',
      /:6:33 .*it may add about 4 tokens/,
    ],
    [
      'ops:\n  - op: fewshot.insert\n    at: after-system\n    messages: [{ role: assistant, ' +
        'content: a }, { role: user, content: b }]',
      /:8:19 .*examples alternate/,
    ],
  ])('prompt schema refuses %j with its place', (version, line) => {
    expect(linesOf(file(version)).join('\n')).toMatch(line);
  });
});

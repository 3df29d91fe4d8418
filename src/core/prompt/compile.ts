import { PatchedMessages } from './patched-messages.ts';
import type { Replacement } from './replace.ts';
import { BLANK_LINE } from './system-text.ts';
import { referencesIn, render, type Values } from './variables.ts';
import { type ExampleMessage, type PromptVersion, textsOf } from './version.ts';

/** The operations of one version, joined by kind and with their variables filled in. */
export interface CompiledPatch {
  /** Of several texts of one kind the first written stands first; empty where there is none. */
  readonly prefix: string;
  readonly suffix: string;
  readonly replacements: readonly Replacement[];
  readonly examples: readonly ExampleMessage[];
  readonly user_suffix: string;
  /** Nothing but a prefix and a suffix: it cannot be refused for what stands there. */
  readonly simple: boolean;
  /** What it made of messages before. */
  readonly patched: PatchedMessages;
}

export function compilePatch({ ops }: PromptVersion, values: Values = {}): CompiledPatch {
  const prefix: string[] = [];
  const suffix: string[] = [];
  const user: string[] = [];
  const replacements: Replacement[] = [];
  const examples: ExampleMessage[] = [];
  for (const op of ops) {
    if (op.op === 'fewshot.insert') {
      for (const { role, content } of op.messages) {
        examples.push({ role, content: render(content, values) });
      }
      continue;
    }
    const text = render(op.text, values);
    if (op.op === 'replace') {
      replacements.push({ anchor: op.anchor, expect: op.expect ?? 1, text });
    } else if (text !== '') {
      if (op.op === 'system.prepend') prefix.push(text);
      else if (op.op === 'system.append') suffix.push(text);
      else user.push(text);
    }
  }
  return {
    prefix: prefix.join(BLANK_LINE),
    suffix: suffix.join(BLANK_LINE),
    replacements,
    examples,
    user_suffix: user.join(BLANK_LINE),
    simple: replacements.length === 0 && examples.length === 0 && user.length === 0,
    patched: new PatchedMessages(),
  };
}

/** Whether a version's texts refer to variables: only then do they differ from call to call. */
export function isVariable({ ops, vars }: PromptVersion): boolean {
  if (vars === undefined) return false;
  return ops.some((op) => textsOf(op).some((text) => referencesIn(text).length > 0));
}

import type { Json } from '../canonical.ts';
import { isObject } from '../json-values.ts';
import type { ExampleMessage } from './version.ts';

/** The messages with the examples behind the leading system messages; the same where they stand. */
export function insertExamples(
  list: readonly Json[],
  examples: readonly ExampleMessage[],
): readonly Json[] {
  if (hasExamples(list, examples)) return list;
  const at = startOf(list);
  return [
    ...list.slice(0, at),
    ...examples.map(({ role, content }) => ({ role, content })),
    ...list.slice(at),
  ];
}

export function hasExamples(list: readonly Json[], examples: readonly ExampleMessage[]): boolean {
  const at = startOf(list);
  return examples.every(({ role, content }, index) => {
    const message = list[at + index];
    return isObject(message) && message.role === role && message.content === content;
  });
}

/** Behind the leading system messages. */
function startOf(list: readonly Json[]): number {
  const at = list.findIndex((message) => !isObject(message) || !isSystem(message.role));
  return at === -1 ? list.length : at;
}

export function isSystem(role: Json | undefined): boolean {
  return role === 'system' || role === 'developer';
}

/** What a model answered as JSON, in a fence or without; undefined where it is none. */
export function jsonAnswer(text: string): unknown {
  const bare = /^\s*```(?:json)?\n([\s\S]*)\n```\s*$/.exec(text)?.[1] ?? text;
  try {
    return JSON.parse(bare) as unknown;
  } catch {
    return undefined;
  }
}

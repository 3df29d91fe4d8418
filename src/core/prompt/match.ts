import { sha256 } from '../canonical.ts';
import type { PatchedEndpoint, PromptMatch } from './version.ts';

/** Whether a call is one that a version is for. */
export function matches(
  match: PromptMatch,
  call: { readonly model: string; readonly endpoint: PatchedEndpoint; system(): string },
): boolean {
  const { models, endpoints, system_sha256 } = match;
  if (endpoints && !endpoints.includes(call.endpoint)) return false;
  if (models && !models.some((pattern) => fits(pattern, call.model))) return false;
  return system_sha256 === undefined || sha256(call.system()) === system_sha256.toLowerCase();
}

/** Whether a text fits a pattern in which `*` stands for any characters, none included. */
export function fits(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === text;
  if (text.length < first.length + last.length) return false;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found === -1 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}

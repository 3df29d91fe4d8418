/** What an upstream says of its limits; its other headers are between it and us. */
export function isLimitHeader(name: string): boolean {
  return name.startsWith('x-ratelimit-') || name.startsWith('anthropic-ratelimit-');
}

/** What a provider sends is not always what may be sent on. */
export function isPlainHeader(value: unknown): value is string {
  return typeof value === 'string' && /^[\x20-\x7e]*$/.test(value);
}

/** Those of an answer that may be sent on; null where it has none. */
export function limitHeaders(
  headers: Readonly<Record<string, unknown>>,
): Readonly<Record<string, string>> | null {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (isLimitHeader(name) && isPlainHeader(value)) found[name] = value;
  }
  return Object.keys(found).length > 0 ? found : null;
}

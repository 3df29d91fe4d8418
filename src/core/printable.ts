/** Text for a header or a message: printable ASCII only, and not much of it. */
export function printable(text: string, most = 200): string {
  return text
    .slice(0, most)
    .replaceAll('’', "'")
    .replaceAll(/[^\x20-\x7e]/g, '?');
}

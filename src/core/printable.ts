/** Text for a header or a message: printable ASCII only, and not much of it. */
export function printable(text: string, most = 200): string {
  if (text.length <= most && PLAIN.test(text)) return text;
  return text
    .slice(0, most)
    .replaceAll('’', "'")
    .replaceAll(/[^\x20-\x7e]/g, '?');
}

const PLAIN = /^[\x20-\x7e]*$/;

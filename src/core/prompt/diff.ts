import type { PromptVersion } from './version.ts';

/** A version as lines for people: one an operation, and one for each line of its texts. */
export function linesOf({ ops, ...rest }: PromptVersion): readonly string[] {
  const lines = ops.flatMap((op) => {
    if (op.op === 'fewshot.insert') {
      const examples = op.messages.map(({ role, content }) => `${role}: ${content}`);
      return [`${op.op} ${op.at}`, ...indented(examples)];
    }
    if (op.op !== 'replace') return [op.op, ...indented([op.text])];
    const count = op.expect === undefined ? '' : ` ×${op.expect}`;
    return [`replace${count}`, ...indented([op.anchor, `→ ${op.text}`])];
  });
  const more = Object.entries(rest).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  return [...lines, ...more];
}

function indented(texts: readonly string[]): readonly string[] {
  return texts.flatMap((text) => text.split('\n')).map((line) => `  ${line}`);
}

/**
 * The lines of two versions: `- ` is only in the first, `+ ` only in the second, `  ` in both; by
 * their longest common subsequence.
 */
export function diffLines(from: readonly string[], to: readonly string[]): readonly string[] {
  const width = to.length + 1;
  const common = new Uint32Array((from.length + 1) * width);
  const at = (row: number, column: number): number => common[row * width + column] as number;
  for (let row = from.length - 1; row >= 0; row -= 1) {
    for (let column = to.length - 1; column >= 0; column -= 1) {
      common[row * width + column] =
        from[row] === to[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const lines: string[] = [];
  let [row, column] = [0, 0];
  while (row < from.length || column < to.length) {
    if (row < from.length && column < to.length && from[row] === to[column]) {
      lines.push(`  ${from[row]}`);
      row += 1;
      column += 1;
    } else if (
      column >= to.length ||
      (row < from.length && at(row + 1, column) >= at(row, column + 1))
    ) {
      lines.push(`- ${from[row]}`);
      row += 1;
    } else {
      lines.push(`+ ${to[column]}`);
      column += 1;
    }
  }
  return lines;
}

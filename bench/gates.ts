/** A number that was asked for, and what was measured. */
export interface Gate {
  readonly name: string;
  readonly unit: string;
  readonly limit: number;
  /** Null where it could not be measured here. */
  readonly value: number | null;
}

export function isMet({ value, limit }: Gate): boolean | null {
  return value === null ? null : value <= limit;
}

export function gatesTable(gates: readonly Gate[]): string {
  const rows = gates.map((gate) => {
    const met = isMet(gate);
    const value = gate.value === null ? '–' : `${round(gate.value)} ${gate.unit}`;
    const word = met === null ? 'not measured' : met ? 'met' : 'MISSED';
    return [gate.name, value, `≤ ${gate.limit} ${gate.unit}`, word];
  });
  return table([['asked for', 'measured', 'limit', ''], ...rows]);
}

export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => `  ${line.trimEnd()}`)
    .join('\n');
}

export function round(value: number): string {
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

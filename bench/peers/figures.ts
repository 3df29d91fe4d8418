import { median, round } from '../gates.ts';

/** One row of the side-by-side: what was measured in each round, and what was asked for. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly gate: number;
  readonly stretch: number | null;
  /** Whether more is better; less is, by default. */
  readonly more?: true;
  /** One value a round; empty where it could not be measured here. */
  readonly rounds: readonly number[];
  /** What the ratio is made of, and what else a reader should know. */
  readonly remark: string;
}

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export function spreadOf(rounds: readonly number[]): Spread | null {
  if (rounds.length === 0) return null;
  return { min: Math.min(...rounds), median: median(rounds), max: Math.max(...rounds) };
}

/** By the median: a single quiet or noisy round decides nothing. */
export function verdictOf({ rounds, gate, stretch, more }: Figure): string {
  const spread = spreadOf(rounds);
  if (spread === null) return 'not measured';
  const reaches = (limit: number): boolean =>
    more ? spread.median >= limit : spread.median <= limit;
  if (stretch !== null && reaches(stretch)) return 'stretch met';
  return reaches(gate) ? 'met' : 'MISSED';
}

/** Ratios of the rounds: each round's own, since noise strikes both sides of one round alike. */
export function ratios(over: readonly number[], under: readonly number[]): readonly number[] {
  return over.flatMap((value, index) => {
    const divisor = under[index];
    return divisor === undefined || divisor <= 0 ? [] : [value / divisor];
  });
}

export function spreadText(rounds: readonly number[], unit: string): string {
  const spread = spreadOf(rounds);
  if (spread === null) return '–';
  return `${round(spread.median)} ${unit} (${round(spread.min)}–${round(spread.max)})`;
}

/** A Markdown table of all rows. */
export function figuresTable(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => {
    const limit = (value: number | null): string =>
      value === null ? '' : `${figure.more ? '≥' : '≤'} ${value} ${figure.unit}`;
    return [
      figure.name,
      spreadText(figure.rounds, figure.unit),
      limit(figure.gate),
      limit(figure.stretch),
      verdictOf(figure),
      figure.remark,
    ];
  });
  const head = ['figure', 'median (min–max)', 'gate', 'stretch', '', 'of'];
  const all = [head, head.map(() => '---'), ...rows];
  return all.map((row) => `| ${row.join(' | ')} |`).join('\n');
}

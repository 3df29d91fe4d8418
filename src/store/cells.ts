import type { Segment } from '../core/observation.ts';

/**
 * The cells of traffic that are counted: (agent), (agent, target), (agent, tenant), (agent,
 * category) and (agent, target, category). Each is counted for itself, because distinct units of
 * targets do not add up to those of their agent.
 */
export interface Cell {
  readonly agent: string;
  /** '' stands for all. */
  readonly target: string;
  readonly tenant: string;
  readonly category: string;
}

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** The spans that are counted apart. */
export const SPANS_MS: readonly number[] = [MINUTE_MS, HOUR_MS, DAY_MS];

export function floorTo(at_ms: number, span_ms: number): number {
  return Math.floor(at_ms / span_ms) * span_ms;
}

/** Stands for all that came after the first `CELLS_MAX` cells of an hour. */
export const OTHER = 'other';
export const CELLS_MAX = 2000;

/** What a call is counted under; '' where it is not known, and then no cell is made of it. */
export interface Combination {
  readonly agent: string;
  readonly target: string;
  readonly tenant: string;
  readonly category: string;
}

export function cellsOf({ agent, target, tenant, category }: Combination): readonly Cell[] {
  const all = { agent, target: '', tenant: '', category: '' };
  const cells: Cell[] = [all];
  if (target !== '') cells.push({ ...all, target });
  if (tenant !== '') cells.push({ ...all, tenant });
  if (category !== '') cells.push({ ...all, category });
  if (target !== '' && category !== '') cells.push({ ...all, target, category });
  return cells;
}

/** Minutes are kept of agents and their targets alone: what short series are made of. */
export function isCounted({ tenant, category }: Cell, span_ms: number): boolean {
  return span_ms !== MINUTE_MS || (tenant === '' && category === '');
}

/** The shortest span in which a cell is counted: longer ones follow from it. */
export function finestSpan(cell: Cell): number {
  return isCounted(cell, MINUTE_MS) ? MINUTE_MS : HOUR_MS;
}

export function otherCell({ agent, target, tenant, category }: Cell): Cell {
  const folded = (value: string) => (value === '' ? '' : OTHER);
  return { agent, target: folded(target), tenant: folded(tenant), category: folded(category) };
}

/** Tabs part the names; no policy has one in a name, and one in a foreign name is put aside. */
export function cellKey({ agent, target, tenant, category }: Cell): string {
  return `${agent}\t${target}\t${tenant}\t${category}`;
}

export function segmentOf({ agent, target, tenant, category }: Cell): Segment {
  return {
    agent,
    target: target === '' ? null : target,
    ...(tenant === '' ? {} : { tenant }),
    ...(category === '' ? {} : { category }),
  };
}

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { REPO } from '../../test/kit/product.ts';
import { type Figure, figuresTable, spreadOf, verdictOf } from './figures.ts';

const RESULTS = join(REPO, 'bench', 'results', 'latest.json');
const DOC = join(REPO, 'docs', 'performance.md');
const BEGIN = '<!-- bench:peers begin -->';
const END = '<!-- bench:peers end -->';

export interface Machine {
  readonly cpus: number;
  readonly model: string;
  readonly memory_gb: number;
  readonly kernel: string;
  readonly node: string;
  readonly nginx: string;
  readonly portkey: string | null;
  /** The load average before the run: above about 0.5 others took part of the machine. */
  readonly load_before: number;
}

export function describeMachine(portkey: string | null): Machine {
  const said = spawnSync('nginx', ['-v'], { encoding: 'utf8' }).stderr;
  const [load_before = 0] = loadavg();
  return {
    cpus: cpus().length,
    model: cpus()[0]?.model ?? '',
    memory_gb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    nginx: /nginx\/(\S+)/.exec(said)?.[1] ?? '',
    portkey,
    load_before: Number(load_before.toFixed(2)),
  };
}

/** Keeps the run as JSON, and as the table between the markers of docs/performance.md. */
export function keep(machine: Machine, figures: readonly Figure[]): void {
  const at = new Date().toISOString();
  const rows = figures.map((figure) => ({
    ...figure,
    spread: spreadOf(figure.rounds),
    verdict: verdictOf(figure),
  }));
  mkdirSync(join(REPO, 'bench', 'results'), { recursive: true });
  writeFileSync(RESULTS, `${JSON.stringify({ at, machine, figures: rows }, null, 2)}\n`);
  const text = readFileSync(DOC, 'utf8');
  const [before, rest] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`${DOC} lost its markers`);
  const told = `${machineLine(at, machine)}\n\n${figuresTable(figures)}`;
  writeFileSync(DOC, `${before}${BEGIN}\n${told}\n${END}${after}`);
}

function machineLine(at: string, machine: Machine): string {
  const { cpus: cores, model, memory_gb, kernel, node, nginx, portkey, load_before } = machine;
  return (
    `${at.slice(0, 10)}, ${cores} × ${model}, ${memory_gb} GB, Linux ${kernel}, Node ${node}, ` +
    `nginx ${nginx}, Portkey ${portkey ?? 'not installed'}; load average before the run ` +
    `${load_before}.`
  );
}

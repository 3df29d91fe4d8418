import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { evidenceLn } from '../src/core/sequential.ts';
import { createCanaryStream } from '../src/lab/canary-stream.ts';
import { evaluate, logisticWorld, sample } from '../test/core/ope/worlds.ts';
import { streamOf, USUAL } from '../test/lab/canary-kit.ts';
import { plotSvg } from './line-plot.ts';

// Writes the samples and the plots of docs/lab.md: `node scripts/write-lab-docs.ts`. Seeds are
// fixed, so that the files change only where the code does.
const DOCS = fileURLToPath(new URL('../docs/lab/', import.meta.url));
const lines = (rows: readonly unknown[]): string =>
  rows.map((row) => `${JSON.stringify(row)}\n`).join('');

writeCanary();
writeOpe();

function writeCanary(): void {
  const share = 0.1;
  const world = { share, units: 600, a: USUAL, b: { ...USUAL, error: 0.15 } };
  const rows = [...streamOf(world, 8)];
  const file = rows.map(({ time, canary, unit, ok, latency_ms, rating }) => ({
    time,
    arm: canary ? 'b' : 'a',
    unit,
    ok: ok ? 1 : 0,
    latency_ms: Math.round(latency_ms ?? 0),
    ...(rating === null ? {} : { rating }),
  }));
  writeFileSync(`${DOCS}units.jsonl`, lines(file));
  const judge = createCanaryStream({ share, units_min: 150, days_max: 14 });
  const decided = rows.findIndex((row) => judge(row).decision !== 'continue');
  const tally = { q: share, canary: 0, control: 0 };
  const points = rows.map(({ ok, canary }, at): readonly [number, number] => {
    if (!ok) tally[canary ? 'canary' : 'control'] += 1;
    return [at + 1, evidenceLn([tally])];
  });
  const plot = plotSvg({
    title: 'hive lab canary: 15 % errors in b, 2 % in a, one unit in ten in b',
    x: 'row',
    y: 'ln evidence of more errors',
    lines: [{ name: 'error', colour: '#2266aa', points }],
    limits: [{ name: 'α 5 %', y: Math.log(20) }],
    marks: [{ name: 'revert', x: decided + 1 }],
  });
  writeFileSync(`${DOCS}canary.svg`, plot);
}

function writeOpe(): void {
  const { log, target } = sample(logisticWorld(3, 2, 31), 900, 12);
  const brief = (value: number): number => Number(value.toFixed(4));
  const decisions = log.map((row) => ({
    ...row,
    context: (row.context as readonly number[]).map(brief),
  }));
  writeFileSync(`${DOCS}decisions.jsonl`, lines(decisions));
  const targets = [...target].map(([id, probs]) => ({
    id,
    probs: Object.fromEntries([...probs].map(([action, share]) => [action, brief(share)])),
  }));
  writeFileSync(`${DOCS}target.jsonl`, lines(targets));
  const sizes = Array.from({ length: 13 }, (_, at) => 300 + 50 * at);
  const found = sizes.map((rows) => [rows, evaluate({ log: log.slice(0, rows), target })] as const);
  const answered = found.flatMap(([rows, { estimate, ci }]) =>
    estimate === null || ci === null ? [] : [{ rows, estimate, low: ci[0], high: ci[1] }],
  );
  const line = (name: string, colour: string, of: 'estimate' | 'low' | 'high') => ({
    name,
    colour,
    points: answered.map((one): readonly [number, number] => [one.rows, one[of]]),
  });
  const plot = plotSvg({
    title: 'hive lab ope: the estimate and its 95 % interval as the log grows',
    x: 'rows of the log',
    y: 'reward a decision',
    lines: [
      line('estimate', '#2266aa', 'estimate'),
      line('95 %, lower', '#88aacc', 'low'),
      line('95 %, upper', '#88aacc', 'high'),
    ],
  });
  writeFileSync(`${DOCS}ope.svg`, plot);
}

import { fileError, type LabIo } from './lab-command.ts';
import { createRowReport, eachLine } from './rows.ts';

/** A row of a series as the file gives it. */
export interface SeriesRow {
  /** As given; empty where the file has no such column. */
  readonly timestamp: string;
  readonly value: number;
}

export interface SeriesFile {
  /** Whether the column `timestamp` must be there; `value` always must. */
  readonly timestamps: boolean;
  /** May say what is odd of a row that counts all the same. */
  readonly take: (row: SeriesRow) => string | null;
  /** A row that could not be read: its place in the series is kept. */
  readonly miss: () => void;
}

interface Columns {
  readonly timestamp: number;
  readonly value: number;
}

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/**
 * Streams a CSV file with a header that names `timestamp` and `value`, in any order and among
 * others; fields may be quoted. Rejects with one line if the file is empty or lacks a column.
 */
export async function eachSeriesRow(
  io: LabIo,
  file: string,
  { timestamps, take, miss }: SeriesFile,
): Promise<{ readonly rows: number; readonly bad: number }> {
  const report = createRowReport(io, file);
  let columns: Columns | null = null;
  let rows = 0;
  await eachLine(io, file, report, (text, line) => {
    const fields = fieldsOf(text);
    if (columns === null) {
      columns = columnsOf(fields, file, timestamps);
      return;
    }
    const row = rowOf(fields, columns);
    if (typeof row === 'string') {
      report.bad(line, row);
      miss();
      return;
    }
    rows += 1;
    const odd = take(row);
    if (odd !== null) report.note(line, odd);
  });
  report.end();
  if (columns === null) throw fileError(file, 'is empty: a header timestamp,value is expected');
  if (rows === 0) throw fileError(file, 'has no row with a number');
  return { rows, bad: report.count() };
}

function columnsOf(header: readonly string[], file: string, timestamps: boolean): Columns {
  const names = header.map((name) => name.trim().toLowerCase());
  const columns = { timestamp: names.indexOf('timestamp'), value: names.indexOf('value') };
  const missing = [
    ...(timestamps && columns.timestamp < 0 ? ['timestamp'] : []),
    ...(columns.value < 0 ? ['value'] : []),
  ];
  if (missing.length === 0) return columns;
  const found = JSON.stringify(header.join(',').slice(0, 80));
  throw fileError(file, `has no column ${missing.join(' and no column ')}; its header is ${found}`);
}

function rowOf(fields: readonly string[], { timestamp, value }: Columns): SeriesRow | string {
  const text = fields[value]?.trim() ?? '';
  if (text === '') return 'no value';
  if (!NUMBER.test(text)) return `the value ${JSON.stringify(text.slice(0, 40))} is no number`;
  const number = Number(text);
  if (!Number.isFinite(number)) return `the value ${text.slice(0, 40)} is too large`;
  if (timestamp < 0) return { timestamp: '', value: number };
  const time = fields[timestamp]?.trim() ?? '';
  return time === '' ? 'no timestamp' : { timestamp: time, value: number };
}

/** The fields of a line; a quote doubled inside quotes is one. */
export function fieldsOf(line: string): readonly string[] {
  if (!line.includes('"')) return line.replace(/\r$/, '').split(',');
  const fields: string[] = [];
  const pattern = /("(?:[^"]|"")*"|[^,]*)(,|\r?$)/y;
  for (let found = pattern.exec(line); found; found = pattern.exec(line)) {
    const text = found[1] as string;
    fields.push(text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text);
    if (found[2] !== ',') break;
  }
  return fields;
}

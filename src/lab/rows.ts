import type { JsonObject } from '../core/canonical.ts';
import { isObject, parseText } from '../core/json-values.ts';
import type { LabIo } from './lab-command.ts';

/** Bad rows that are told in full; the others are counted. */
export const BAD_ROWS_SHOWN = 5;
/** A longer line is a bad row: a file without line breaks must not fill the memory. */
export const LINE_CHARS_MAX = 4 * 1024 * 1024;
const PROGRESS_LINES = 100_000;

export interface RowReport {
  /** Counts a bad row; the first few are told at once, by line (from 1). */
  bad(line: number, why: string): void;
  /** Tells of a row that is odd but counts, by line, as of bad ones. */
  note(line: number, why: string): void;
  /** Tells the count of those that were not told, and clears the line of progress. */
  end(): void;
  readonly count: () => number;
}

export function createRowReport(io: LabIo, file: string): RowReport {
  let count = 0;
  let noted = 0;
  const name = file === '-' ? 'standard input' : file;
  return {
    note(line, why) {
      noted += 1;
      if (noted <= BAD_ROWS_SHOWN) io.warn(`${name}:${line}: ${why}`);
    },
    bad(line, why) {
      count += 1;
      if (count <= BAD_ROWS_SHOWN) io.warn(`${name}:${line}: ${why}; the row is left out`);
    },
    end() {
      io.progress?.('');
      if (count > BAD_ROWS_SHOWN) io.warn(`${name}: ${count} rows in all were left out`);
      if (noted > BAD_ROWS_SHOWN) io.warn(`${name}: ${noted} rows in all were odd, and counted`);
    },
    count: () => count,
  };
}

/**
 * Calls `take` with each line that is not blank, and its number from 1. Holds one line at a time:
 * of a line above LINE_CHARS_MAX only its beginning is kept, and it is reported as bad.
 */
export async function eachLine(
  io: LabIo,
  file: string,
  report: RowReport,
  take: (text: string, line: number) => void,
): Promise<void> {
  let rest = '';
  let tooLong = false;
  let line = 0;
  const end = (text: string): void => {
    line += 1;
    if (line % PROGRESS_LINES === 0) io.progress?.(`${file}: ${line} lines`);
    if (tooLong || text.length > LINE_CHARS_MAX) {
      report.bad(line, `longer than ${LINE_CHARS_MAX} characters`);
    } else if (text.trim() !== '') take(line === 1 ? text.replace(/^\uFEFF/, '') : text, line);
    tooLong = false;
  };
  for await (const chunk of io.open(file)) {
    const parts = chunk.split('\n');
    const last = parts.pop() ?? '';
    for (const part of parts) {
      end(rest === '' ? part : rest + part);
      rest = '';
    }
    if (!tooLong) rest += last;
    if (rest.length > LINE_CHARS_MAX) {
      tooLong = true;
      rest = '';
    }
  }
  if (rest !== '' || tooLong) end(rest);
}

/** What a parser returns for a row that is none. */
export interface BadRow {
  readonly bad: string;
}

/**
 * Streams a file of JSON lines: `parse` turns an object into a row or says why it is none, `take`
 * has each row with its line from 1, and may return a text that says why it cannot use it either;
 * `note` is for what is odd of a row that counts. Bad rows are reported and left out; the result
 * counts both.
 */
export async function eachRow<Row extends object>(
  io: LabIo,
  file: string,
  parse: (value: JsonObject) => Row | BadRow,
  take: (row: Row, line: number, note: (why: string) => void) => unknown,
): Promise<{ readonly rows: number; readonly bad: number }> {
  const report = createRowReport(io, file);
  let rows = 0;
  await eachLine(io, file, report, (text, line) => {
    const value = parseText(text);
    if (!isObject(value)) {
      report.bad(line, value === undefined ? 'no JSON' : 'no JSON object');
      return;
    }
    const row = parse(value);
    if ('bad' in row) {
      report.bad(line, row.bad);
      return;
    }
    const refused = take(row, line, (why) => report.note(line, why));
    if (typeof refused === 'string') report.bad(line, refused);
    else rows += 1;
  });
  report.end();
  return { rows, bad: report.count() };
}

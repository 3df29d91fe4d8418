import type { LabCommand, LabFlags, LabIo } from '../../src/lab/lab-command.ts';

export interface LabRan {
  readonly code: number;
  readonly out: readonly string[];
  readonly err: readonly string[];
}

/** An io on texts instead of files, which come in chunks of any size. */
export function memoryIo(files: Readonly<Record<string, string>>, chunk = 1 << 16) {
  const out: string[] = [];
  const err: string[] = [];
  const io: LabIo = {
    print: (line) => void out.push(line),
    warn: (line) => void err.push(line),
    async *open(file) {
      const text = files[file];
      if (text === undefined) throw new Error(`no file ${file}`);
      for (let at = 0; at < text.length; at += chunk) yield text.slice(at, at + chunk);
    },
  };
  return { io, out, err };
}

/** Runs a command on texts: each flag's file is named as the key of its text. */
export async function runOn(
  command: LabCommand,
  flags: LabFlags,
  files: Readonly<Record<string, string>>,
): Promise<LabRan> {
  const { io, out, err } = memoryIo(files);
  const code = await command.run(flags, io);
  return { code, out, err };
}

export function jsonLines(rows: readonly unknown[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

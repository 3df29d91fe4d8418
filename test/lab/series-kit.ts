import type { LabFlags, LabIo } from '../../src/lab/lab-command.ts';

/** A lab command's world in memory: files by name in, lines out. */
export function labWorld(files: Readonly<Record<string, string>>, chunk = 64 * 1024) {
  const printed: string[] = [];
  const warned: string[] = [];
  const io: LabIo = {
    print: (line) => void printed.push(line),
    warn: (line) => void warned.push(line),
    async *open(file) {
      const text = files[file];
      if (text === undefined) throw new Error(`${file} cannot be read`);
      for (let from = 0; from < text.length; from += chunk) yield text.slice(from, from + chunk);
    },
  };
  const run = (command: { run(flags: LabFlags, io: LabIo): Promise<number> }, flags: LabFlags) =>
    command.run(flags, io);
  return { io, printed, warned, run };
}

import { parseArgs } from 'node:util';
import { messageOf } from '../core/errors.ts';
import { labCommands } from '../lab/index.ts';
import { type LabCommand, type LabFlags, type LabIo, labUsageError } from '../lab/lab-command.ts';

/** `hive lab …`: never rejects. The exit code: 0 done, 1 failed, 2 misused. */
export async function runLab(args: readonly string[], io: LabIo): Promise<number> {
  try {
    return await dispatch(args, io);
  } catch (thrown) {
    io.progress?.('');
    // A start strips and compiles each file that it imports: what only a mistake needs comes then.
    const { failureCode } = await import('./failure-code.ts');
    return failureCode(thrown, (line) => io.warn(line));
  }
}

async function dispatch(args: readonly string[], io: LabIo): Promise<number> {
  const [first, ...rest] = args;
  const name = first === 'help' ? rest[0] : first;
  if (name === undefined || name === '--help' || name === '-h') {
    io.print(await labHelp());
    return 0;
  }
  const command = await load(name);
  const flags = first === 'help' ? 'help' : flagsOf(command, rest);
  if (flags !== 'help') return command.run(flags, io);
  io.print(commandHelp(command));
  return 0;
}

async function load(name: string): Promise<LabCommand> {
  const found = Object.hasOwn(labCommands, name) ? labCommands[name] : undefined;
  if (found) return found();
  const what = name.startsWith('-') ? 'flag before the command' : 'command of the lab';
  const { didYouMean } = await import('../config/suggest.ts');
  const meant = didYouMean(name, Object.keys(labCommands));
  throw labUsageError(`unknown ${what} ${JSON.stringify(name)}: ${meant} (all: hive lab --help)`);
}

function flagsOf(command: LabCommand, args: readonly string[]): LabFlags | 'help' {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { ...command.options, help: { type: 'boolean', short: 'h' } },
      strict: true,
    });
    return values.help === true ? 'help' : (values as LabFlags);
  } catch (thrown) {
    const first = messageOf(thrown).split(/\. |\n/)[0];
    throw labUsageError(`${first}; see: hive lab ${command.name} --help`);
  }
}

async function labHelp(): Promise<string> {
  const all = await Promise.all(Object.values(labCommands).map((command) => command()));
  const widest = Math.max(0, ...all.map(({ name }) => name.length));
  return [
    'hive lab: the statistics of the oracle on files of your own; nothing else runs or is touched.',
    '',
    'Usage: hive lab COMMAND [flags]',
    'Example: hive lab --help, then hive lab COMMAND --help',
    '',
    ...all.flatMap(({ name, summary, example }) => [
      `  ${name.padEnd(widest)}  ${summary}`,
      `  ${''.padEnd(widest)}  ${example}`,
    ]),
    '',
    'hive lab COMMAND --help explains one. FILE may be - for the standard input. Rows that cannot',
    'be read are left out and named on the standard error by line.',
  ].join('\n');
}

function commandHelp({ name, summary, usage, example, details }: LabCommand): string {
  return [
    `hive lab ${name}: ${summary}`,
    '',
    `Usage: hive lab ${`${name} ${usage}`.trim()}`,
    `Example: ${example}`,
    ...(details.length === 0 ? [] : ['', ...details]),
  ].join('\n');
}

import { didYouMean } from '../config/suggest.ts';
import { toGatewayError } from '../core/errors.ts';
import { brakeCommands } from './brake-commands.ts';
import { type CliContext, type Command, exitCodeOf, usageError } from './command.ts';
import { commandHelp, helpText } from './help.ts';
import { oracleCommands } from './oracle-commands.ts';
import { parseCommand } from './parse-command.ts';
import { processCommands } from './process-commands.ts';
import { promptCommands } from './prompt-commands.ts';
import { plain } from './text.ts';

export const commands: readonly Command[] = [
  ...processCommands,
  ...oracleCommands,
  ...promptCommands,
  ...brakeCommands,
];

/** Runs one command line; never rejects. The exit code: 0 done, 1 failed, 2 misused. */
export async function runCommand(argv: readonly string[], context: CliContext): Promise<number> {
  try {
    return await dispatch(argv, context);
  } catch (thrown) {
    const error = toGatewayError(thrown);
    const unforeseen = error.code === 'internal' && error.cause instanceof Error;
    const message = unforeseen ? (error.cause as Error).message : error.message;
    // The policy's problems are one a line; everything else is one line in all.
    for (const line of message.split('\n')) context.warn(`hive: ${plain(line)}`);
    return exitCodeOf(error);
  }
}

async function dispatch(argv: readonly string[], context: CliContext): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    context.print(helpFor(name === 'help' ? rest[0] : undefined));
    return 0;
  }
  const command = find(name === '--version' ? 'version' : name);
  const asked = parseCommand(command, rest, context);
  if (asked !== 'help') return command.run(asked, context);
  context.print(commandHelp(command));
  return 0;
}

function helpFor(name: string | undefined): string {
  return name === undefined ? helpText(commands) : commandHelp(find(name));
}

function find(name: string): Command {
  const found = commands.find((command) => command.name === name);
  if (found) return found;
  const what = name.startsWith('-') ? 'flag before the command' : 'command';
  const names = commands.map((command) => command.name);
  const meant = didYouMean(name, names);
  throw usageError(`unknown ${what} ${JSON.stringify(name)}: ${meant} (all: hive --help)`);
}

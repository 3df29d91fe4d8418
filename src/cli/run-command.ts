import { didYouMean } from '../config/suggest.ts';
import { refusalStatus } from './admin-client.ts';
import { brakeCommands } from './brake-commands.ts';
import { type CliContext, type Command, usageError } from './command.ts';
import { experimentCommands } from './experiment-commands.ts';
import { failureCode } from './failure-code.ts';
import { commandHelp, helpText } from './help.ts';
import { lab } from './lab.ts';
import { oracleCommands } from './oracle-commands.ts';
import { parseCommand } from './parse-command.ts';
import { processCommands } from './process-commands.ts';
import { promptCommands } from './prompt-commands.ts';
import { proposalCommands } from './proposal-commands.ts';
import { routerCommands } from './router-commands.ts';
import { simCommands } from './sim-commands.ts';

export const commands: readonly Command[] = [
  ...processCommands,
  ...oracleCommands,
  ...promptCommands,
  ...experimentCommands,
  ...proposalCommands,
  ...brakeCommands,
  ...simCommands,
  ...routerCommands,
  lab,
];

/** Runs one command line; never rejects. The exit code: 0 done, 1 failed, 2 misused. */
export async function runCommand(argv: readonly string[], context: CliContext): Promise<number> {
  try {
    return await dispatch(argv, context);
  } catch (thrown) {
    const code = failureCode(thrown, context.warn);
    const list = commands.find(({ name }) => name === argv[0])?.listed_by;
    if (refusalStatus(thrown) === 404 && list) context.warn(`hive: see: hive ${list}`);
    return code;
  }
}

async function dispatch(argv: readonly string[], context: CliContext): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    context.print(helpFor(name === 'help' ? rest[0] : undefined));
    return 0;
  }
  const command = find(name === '--version' ? 'version' : name);
  if (command.takesAll) return command.takesAll(rest, context);
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

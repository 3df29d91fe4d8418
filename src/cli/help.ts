import { type Command, usageLines } from './command.ts';

const COMMON = [
  '  --admin URL   the admin API; default http://127.0.0.1:$HIVE_ADMIN_PORT, else port 8092',
  '  --data DIR    the data directory; default $HIVE_DATA, else ./data',
  '  --json        the answer as JSON',
  '  --help        this text',
];

export function helpText(commands: readonly Command[]): string {
  const widest = Math.max(...commands.map(({ name }) => name.length));
  return [
    'hive: makes the models behind your application better by itself, safely.',
    '',
    'Usage: hive COMMAND [words] [flags]      (also: npx hive COMMAND …)',
    '',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(widest)}  ${summary}`),
    '',
    'hive COMMAND --help explains one. Flags of all commands:',
    ...COMMON,
  ].join('\n');
}

export function commandHelp(command: Command): string {
  return [
    `hive ${command.name}: ${command.summary}`,
    '',
    `Usage: ${usageLines(command).join('\n       ')}`,
    `Example: ${command.example}`,
    '',
    'Flags of all commands:',
    ...COMMON,
  ].join('\n');
}

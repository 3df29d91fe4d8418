import type { Command } from './command.ts';

export const lab: Command = {
  name: 'lab',
  usage: 'COMMAND [flags]',
  summary: "runs the oracle's statistics on files of your own; all: hive lab --help",
  example: 'hive lab canary --units docs/lab/canary.jsonl',
  options: {},
  words: [0, 0],
  run: async (_asked, context) => context.lab([]),
  takesAll: (args, context) => context.lab(args),
};

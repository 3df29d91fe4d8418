import { resolve } from 'node:path';
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { adminHost } from '../config/loopback.ts';
import { messageOf } from '../core/errors.ts';
import { createAdminClient } from './admin-client.ts';
import { type Asked, type CliContext, type Command, usageError, usageLines } from './command.ts';

const COMMON: ParseArgsOptionsConfig = {
  admin: { type: 'string' },
  data: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
};
const ADMIN_PORT = '8092';

/** The flags and words of one command, or `'help'`. Throws one clear line on what does not fit. */
export function parseCommand(
  command: Command,
  args: readonly string[],
  context: CliContext,
): Asked | 'help' {
  const { values, positionals } = parsed(command, args);
  if (values.help === true) return 'help';
  const [least, most] = command.words;
  if (positionals.length < least || positionals.length > most) {
    const usage = usageLines(command).join('\n       ');
    const count = positionals.length < least ? 'too few' : 'too many';
    throw usageError(`${count} words for hive ${command.name}; usage: ${usage}`);
  }
  const flags = values as Asked['flags'];
  return {
    words: positionals,
    flags,
    client: createAdminClient(adminUrl(flags.admin, context.env), context.fetch),
    data_dir: resolve(textOf(flags.data) ?? (context.env.HIVE_DATA || './data')),
    json: flags.json === true,
  };
}

function parsed(command: Command, args: readonly string[]): ReturnType<typeof parseArgs> {
  try {
    return parseArgs({
      args: [...args],
      options: { ...COMMON, ...command.options },
      allowPositionals: true,
      strict: true,
    });
  } catch (thrown) {
    const first = messageOf(thrown).split(/\. |\n/)[0];
    throw usageError(`${first}; see: hive ${command.name} --help`);
  }
}

function textOf(value: string | boolean | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function adminUrl(flag: string | boolean | undefined, env: CliContext['env']): string {
  const named = textOf(flag);
  if (named !== undefined) return checkedUrl(named);
  const port = env.HIVE_ADMIN_PORT || ADMIN_PORT;
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw usageError(`HIVE_ADMIN_PORT is a port (1 to 65535), not ${JSON.stringify(port)}`);
  }
  const host = adminHost(env.HIVE_HOST || '127.0.0.1');
  return `http://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
}

function checkedUrl(text: string): string {
  const url = URL.parse(text);
  if (url && (url.protocol === 'http:' || url.protocol === 'https:')) {
    return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
  }
  throw usageError(`--admin is a URL such as http://127.0.0.1:8092, not ${JSON.stringify(text)}`);
}

import { GatewayError } from '../core/errors.ts';
import type { Rollback } from '../oracle/oracle.ts';
import { isUnreachable, type JsonAnswer, refusalStatus } from './admin-client.ts';
import { type Asked, type CliContext, type Command, wordAt } from './command.ts';

/** The gateway obeys control.json within a second and reports each second: this covers both. */
const CONFIRM_MS = 3_000;
const CONFIRM_POLL_MS = 100;

function requireData(asked: Asked, context: CliContext): void {
  if (context.brake.dataExists(asked.data_dir)) return;
  throw new GatewayError(
    'not_found',
    `there is no data directory ${asked.data_dir}: ` +
      "name the product's own with --data DIR or HIVE_DATA",
  );
}

function freezeCommand(name: 'freeze' | 'unfreeze', frozen: boolean, summary: string): Command {
  return {
    name,
    usage: '',
    summary,
    example: `hive ${name}`,
    options: {},
    words: [0, 0],
    async run(asked, context) {
      requireData(asked, context);
      const { brake } = context;
      const written = { ...brake.readControl(asked.data_dir), frozen };
      brake.writeControl(asked.data_dir, written);
      const heard = await confirm(asked, context, frozen);
      if (asked.json) {
        context.print(JSON.stringify({ frozen, confirmed: heard === 'yes', gateway: heard }));
      } else context.print(heardText(heard, frozenText(frozen), asked));
      return heard === 'elsewhere' || heard === 'no' ? 1 : 0;
    },
  };
}

type Heard = 'yes' | 'no' | 'unreachable' | 'elsewhere';

async function confirm(asked: Asked, context: CliContext, frozen: boolean): Promise<Heard> {
  try {
    for (let waited = 0; waited <= CONFIRM_MS; waited += CONFIRM_POLL_MS) {
      const status = await asked.client.get('/status');
      const theirs = status.data_dir;
      if (typeof theirs === 'string' && !context.brake.sameDir(theirs, asked.data_dir)) {
        return 'elsewhere';
      }
      if (status.frozen === frozen) return 'yes';
      await context.pause(CONFIRM_POLL_MS);
    }
    return 'no';
  } catch {
    // Whatever is wrong with the admin API, the brake has been written and needs it for nothing.
    return 'unreachable';
  }
}

function frozenText(frozen: boolean): string {
  return frozen
    ? 'Frozen: no canary is served until "hive unfreeze".'
    : 'Unfrozen: canaries are served again as their permits come.';
}

function heardText(heard: Heard, done: string, { data_dir, client }: Asked): string {
  const file = `${data_dir}/control.json`;
  if (heard === 'yes') return `${done} The gateway confirms it.`;
  if (heard === 'no')
    return `${done} Written to ${file}, but the gateway has not confirmed it: hive status`;
  if (heard === 'elsewhere') {
    return (
      `Nothing has changed for the product at ${client.url}, which has another data directory: ` +
      `give --data. (Written to ${file}.)`
    );
  }
  return (
    `${done} Written to ${file}; the admin API at ${client.url} does not answer, ` +
    'and the gateway, if it runs, obeys within a second without it.'
  );
}

const rollback: Command = {
  name: 'rollback',
  usage: 'KEY [--emergency]',
  listed_by: 'mutations',
  summary: 'takes a change back; --emergency works with the worker dead',
  example: 'hive rollback rollback_0199… --emergency',
  options: { emergency: { type: 'boolean' } },
  words: [1, 1],
  async run(asked, context) {
    const rollback_key = wordAt(asked, 0);
    if (asked.flags.emergency === true) return emergency(asked, context, rollback_key);
    const answer = await asked.client.post('/api/v1/oracle/rollback', { rollback_key });
    context.print(asked.json ? JSON.stringify(answer) : rollbackText(answer));
    return 0;
  },
};

/** The brake first, then the ledger: whatever the worker says, the gateway has let go of it. */
async function emergency(asked: Asked, context: CliContext, key: string): Promise<number> {
  requireData(asked, context);
  const { brake } = context;
  const before = brake.readControl(asked.data_dir);
  const added = !before.withdrawn.includes(key);
  if (added) {
    brake.writeControl(asked.data_dir, { ...before, withdrawn: [...before.withdrawn, key] });
  }
  try {
    const body = { rollback_key: key, emergency: true };
    const answer = await asked.client.post('/api/v1/oracle/rollback', body);
    context.print(asked.json ? JSON.stringify(answer) : rollbackText(answer));
    return 0;
  } catch (thrown) {
    if (refusalStatus(thrown) === 404 && added) forget(asked, context, key);
    if (!isUnreachable(thrown)) throw thrown;
    return withoutWorker(asked, context, key);
  }
}

/** The ledger knows no such key, so it names nothing, and control.json need not keep it. */
function forget(asked: Asked, context: CliContext, key: string): void {
  const now = context.brake.readControl(asked.data_dir);
  const withdrawn = now.withdrawn.filter((one) => one !== key);
  context.brake.writeControl(asked.data_dir, { ...now, withdrawn });
}

function withoutWorker(asked: Asked, context: CliContext, key: string): number {
  const rows = context.brake.liveRows(asked.data_dir);
  const row = rows?.find((one) => one.rollback_key === key);
  const file = `${asked.data_dir}/control.json`;
  const known = rows === null || row !== undefined;
  if (asked.json) {
    context.print(JSON.stringify({ rollback_key: key, written: file, worker: false, known }));
    return known ? 0 : 1;
  }
  const what = row ? ` (${row.type} of ${row.agent}, ${row.state})` : '';
  const doubt =
    rows === null
      ? ' There is no last-good.json yet to check the key against.'
      : known
        ? ''
        : ' But last-good.json holds no live change with this key: check it for a typing error.';
  context.print(
    `Written to ${file}: ${key}${what} is withdrawn. The worker does not answer at ` +
      `${asked.client.url}; the gateway, if it runs, obeys within a second without it, ` +
      `and the worker records it when it is back.${doubt}`,
  );
  return known ? 0 : 1;
}

function rollbackText(answer: JsonAnswer): string {
  const { rolled_back, version, effective, already } = answer as unknown as Rollback;
  if (already) return `It had been taken back before. The policy is ${version.slice(0, 12)}.`;
  const serves = effective
    ? 'the gateway serves it'
    : 'the gateway has not said within a second that it serves it: hive status';
  return `Taken back: ${rolled_back.join(', ')}. The policy is ${version.slice(0, 12)}; ${serves}.`;
}

export const brakeCommands: readonly Command[] = [
  rollback,
  freezeCommand('freeze', true, 'stops all canaries, also with the worker dead'),
  freezeCommand('unfreeze', false, 'lets canaries be served again'),
];

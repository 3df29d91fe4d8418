import { openCallsText, type Status } from '../admin/status.ts';
import { type Command, flagText } from './command.ts';
import { plain } from './text.ts';

const start: Command = {
  name: 'start',
  usage:
    '[--policies DIR] [--host H] [--port N] [--admin-port N] [--data DIR] ' +
    '[--workers N] [--role all]',
  summary: 'starts the gateway, the oracle and the demo model; flags win over the environment',
  example: 'hive start --port 8091 --data ./data',
  options: {
    policies: { type: 'string' },
    host: { type: 'string' },
    port: { type: 'string' },
    'admin-port': { type: 'string' },
    role: { type: 'string' },
    workers: { type: 'string' },
  },
  words: [0, 0],
  async run(asked, context) {
    await context.start({
      policies: flagText(asked, 'policies'),
      host: flagText(asked, 'host'),
      port: flagText(asked, 'port'),
      admin_port: flagText(asked, 'admin-port'),
      data: flagText(asked, 'data'),
      role: flagText(asked, 'role'),
      workers: flagText(asked, 'workers'),
    });
    return 0;
  },
};

const check: Command = {
  name: 'check',
  usage: '[--policies DIR] [--explain] [--probe]',
  summary:
    'checks the policy files; --explain: where each value comes from; --probe: calls targets',
  example: 'hive check --policies ./policies --explain',
  options: {
    policies: { type: 'string' },
    explain: { type: 'boolean' },
    probe: { type: 'boolean' },
  },
  words: [0, 0],
  async run(asked, context) {
    const explain = asked.flags.explain === true;
    const probe = asked.flags.probe === true;
    const policies = flagText(asked, 'policies');
    const { ok, text } = await context.check({ policies, explain, probe });
    if (asked.json) context.print(JSON.stringify({ ok, report: text }));
    else if (ok) context.print(text.trimEnd());
    else context.warn(text.trimEnd());
    return ok ? 0 : 1;
  },
};

const status: Command = {
  name: 'status',
  usage: '',
  summary: 'says what runs, what is on trial, and what is wrong; exit code 1 if not ready',
  example: 'hive status',
  options: {},
  words: [0, 0],
  async run(asked, context) {
    const answer = await asked.client.get('/status');
    const state = answer as unknown as Status;
    context.print(asked.json ? JSON.stringify(answer) : statusText(state));
    return state.ready ? 0 : 1;
  },
};

function statusText(state: Status): string {
  const lines = [
    `Liquid Hive ${state.versions.hive} is ${state.ready ? 'ready' : 'not ready'}.`,
    gatewayLine(state),
    `Store ${state.store.kind} ${state.store.ok ? 'answers' : 'does not answer'}; ` +
      `${state.journal.lag_bytes} bytes of the journal wait; data in ${state.data_dir}.`,
    countLine(state),
    ...childLines(state),
    ...breakerLines(state),
    ...Object.entries(state.withheld).map(([id, reason]) => `Canary ${id} is withheld: ${reason}`),
    ...(state.frozen === true ? ['Canaries are frozen: hive unfreeze'] : []),
    ...(state.policy_error === null ? [] : ['The policy files on disk do not load:']),
    ...(state.policy_error ?? '').split('\n').filter((line) => line !== ''),
    ...state.problems.map((problem) => `Problem: ${problem}`),
    ...state.notices,
    ...(state.time.scale === 1
      ? []
      : [`Policy time runs ${state.time.scale} times as fast: ${state.time.policy_at}`]),
  ];
  return lines.map(plain).join('\n');
}

function gatewayLine(status: Status): string {
  const { versions, gateway } = status;
  if (versions.policy === null) return 'The gateway has not reported yet.';
  return (
    `The gateway at ${gateway.url} serves policy ${versions.policy.slice(0, 12)}; ` +
    openCallsText(status)
  );
}

function countLine({ canaries, plans_waiting, cycle }: Status): string {
  const trials = canaries === null ? 'unknown' : String(canaries.length);
  const waiting = plans_waiting === null ? 'unknown' : String(plans_waiting.length);
  const last = cycle === null ? 'no cycle yet' : `last cycle ${cycle.id} ${cycle.state}`;
  return `Canaries: ${trials}; plans that wait for approval: ${waiting}; ${last}.`;
}

function childLines({ children }: Status): readonly string[] {
  return Object.entries(children).map(([name, { state, pid, restarts }]) => {
    const of = pid === null ? '' : ` (pid ${pid})`;
    const times = restarts === 1 ? 'time' : 'times';
    return `Process ${name}${of} is ${state}, restarted ${restarts} ${times}.`;
  });
}

function breakerLines({ targets }: Status): readonly string[] {
  return Object.entries(targets)
    .filter(([, { breaker }]) => breaker !== 'closed')
    .map(([name, { breaker }]) =>
      breaker === 'absent'
        ? `Target ${name} cannot answer: its provider is absent, or its engine is not up yet.`
        : `The breaker of target ${name} is ${breaker}.`,
    );
}

const version: Command = {
  name: 'version',
  usage: '',
  summary: 'prints the versions of hive and Node',
  example: 'hive version',
  options: {},
  words: [0, 0],
  async run(asked, context) {
    const { product_version } = context;
    const versions = { hive: product_version, node: process.version };
    context.print(
      asked.json ? JSON.stringify(versions) : `hive ${product_version} on Node ${process.version}`,
    );
    return 0;
  },
};

export const processCommands: readonly Command[] = [start, check, status, version];

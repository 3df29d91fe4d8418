import { resolve } from 'node:path';
import type { Json } from '../core/canonical.ts';
import { GatewayError } from '../core/errors.ts';
import type { Switches } from '../core/policy.ts';

/** What the environment and the start's flags say; a flag wins over its variable. */
export interface Environment {
  readonly policies_dir: string;
  readonly host: string;
  readonly port: number;
  readonly admin_port: number;
  readonly data_dir: string;
  readonly database_url: string | null;
  readonly time_scale: number;
  readonly role: 'all';
  /** Gateway processes that share the port. */
  readonly workers: number;
  /** How long calls under way may go on once the product is told to stop. */
  readonly stop_ms: number;
  /** Events that may wait for the journal. */
  readonly bus_max: number;
  /** Whether calls are rehearsed while few come, so that their path stays warm. */
  readonly rehearsals: boolean;
  readonly switches: Switches;
  readonly overrides: readonly PolicyOverride[];
  /** A secret by its variable's name; undefined where it is unset or empty. */
  secret(name: string): string | undefined;
  /** Every variable that is set and not empty, for `${VAR}` in policy files. */
  readonly variables: Readonly<Record<string, string>>;
}

/** A variable that wins over a value of the policy. */
export interface PolicyOverride {
  readonly variable: string;
  readonly value: string;
  /** Where in the policy it writes. */
  readonly pointer: string;
  readonly parsed: Json;
}

export interface StartFlags {
  readonly policies?: string;
  readonly host?: string;
  readonly port?: string | number;
  readonly admin_port?: string | number;
  readonly data?: string;
  readonly role?: string;
  readonly workers?: string | number;
}

/** The variable behind each switch: what `hive check --explain` names as its origin. */
export const SWITCH_VARIABLES: Readonly<Record<keyof Switches, string>> = {
  feedback_loop: 'FEEDBACK_LOOP_ENABLED',
  oracle: 'ORACLE_SYSTEM_ENABLED',
  lora_hotplug: 'LORA_HOTPLUG_ENABLED',
  auto_rollback: 'ORACLE_AUTO_ROLLBACK',
  safety_checks: 'SAFETY_CHECKS_ENABLED',
};

type Variables = Readonly<Record<string, string>>;

/**
 * Reads what the process was started with. Throws at the first bad value with one line that names
 * the variable, the value and what is allowed; an empty value counts as unset.
 */
export function readEnvironment(env: NodeJS.ProcessEnv, flags: StartFlags = {}): Environment {
  const variables = withFlags(env, flags);
  readBusType(variables);
  const port = readNumber(variables, 'HIVE_PORT', 8091, PORT);
  return {
    policies_dir: resolve(variables.HIVE_POLICIES ?? 'policies'),
    host: variables.HIVE_HOST ?? '127.0.0.1',
    port,
    admin_port: readAdminPort(variables, port),
    data_dir: resolve(variables.HIVE_DATA ?? 'data'),
    database_url: readDatabaseUrl(variables),
    time_scale: readNumber(variables, 'HIVE_TIME_SCALE', 1, SCALE),
    role: readRole(variables),
    workers: readNumber(variables, 'HIVE_WORKERS', 1, WORKERS),
    stop_ms: readNumber(variables, 'HIVE_STOP_MS', 30_000, STOP),
    bus_max: readNumber(variables, 'EVENT_BUS_MAX_SIZE', 10_000, BUS),
    rehearsals: readBoolean(variables, 'HIVE_REHEARSALS') ?? true,
    switches: readSwitches(variables),
    overrides: readOverrides(variables),
    secret: (name) => (Object.hasOwn(variables, name) ? variables[name] : undefined),
    variables,
  };
}

/** The worker, which would find its port taken by its own gateway, would be restarted for ever. */
function readAdminPort(variables: Variables, port: number): number {
  const admin_port = readNumber(variables, 'HIVE_ADMIN_PORT', 8092, PORT);
  if (port === 0 || admin_port !== port) return admin_port;
  throw badVariable('HIVE_ADMIN_PORT', String(port), 'another port than HIVE_PORT');
}

interface NumberRange {
  readonly allowed: string;
  accepts(value: number): boolean;
}

const PORT: NumberRange = {
  allowed: 'a port, 0 to 65535 (0: any free one)',
  accepts: (value) => Number.isInteger(value) && value >= 0 && value <= 65_535,
};
const SCALE: NumberRange = {
  allowed: 'a number above 0, at most 1000000',
  accepts: (value) => value > 0 && value <= 1_000_000,
};
const BUS: NumberRange = {
  allowed: 'a whole number from 1 to 10000000',
  accepts: (value) => Number.isInteger(value) && value >= 1 && value <= 10_000_000,
};
const WORKERS: NumberRange = {
  allowed: 'a whole number from 1 to 64',
  accepts: (value) => Number.isInteger(value) && value >= 1 && value <= 64,
};
const STOP: NumberRange = {
  allowed: 'milliseconds, 0 to 3600000',
  accepts: (value) => value >= 0 && value <= 3_600_000,
};
const CONFIDENCE: NumberRange = {
  allowed: 'a number from 0 to 1',
  accepts: (value) => value >= 0 && value <= 1,
};
const MUTATIONS: NumberRange = {
  allowed: 'a whole number from 0 to 1000',
  accepts: (value) => Number.isInteger(value) && value >= 0 && value <= 1000,
};
const PERCENT: NumberRange = {
  allowed: 'a number above 0, at most 100',
  accepts: (value) => value > 0 && value <= 100,
};

function withFlags(env: NodeJS.ProcessEnv, flags: StartFlags): Variables {
  const flagged: Record<string, string | number | undefined> = {
    HIVE_POLICIES: flags.policies,
    HIVE_HOST: flags.host,
    HIVE_PORT: flags.port,
    HIVE_ADMIN_PORT: flags.admin_port,
    HIVE_DATA: flags.data,
    HIVE_ROLE: flags.role,
    HIVE_WORKERS: flags.workers,
  };
  const given = Object.entries(flagged).filter(([, value]) => value !== undefined);
  const all = {
    ...env,
    ...Object.fromEntries(given.map(([name, value]) => [name, String(value)])),
  };
  const present = Object.entries(all).filter(([, value]) => value !== undefined && value !== '');
  return Object.fromEntries(present) as Variables;
}

function readNumber(
  variables: Variables,
  name: string,
  fallback: number,
  range: NumberRange,
): number {
  const text = variables[name];
  if (text === undefined) return fallback;
  const value = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(text)
    ? Number(text)
    : Number.NaN;
  if (Number.isFinite(value) && range.accepts(value)) return value;
  throw badVariable(name, text, range.allowed);
}

function readBoolean(variables: Variables, name: string): boolean | undefined {
  const text = variables[name];
  if (text === undefined) return undefined;
  const word = text.trim().toLowerCase();
  if (word === 'true' || word === '1') return true;
  if (word === 'false' || word === '0') return false;
  throw badVariable(name, text, 'true or false');
}

function readBusType(variables: Variables): void {
  const type = variables.EVENT_BUS_TYPE;
  if (type === undefined || type === 'memory') return;
  throw badVariable('EVENT_BUS_TYPE', type, `memory (${type} is not built yet)`);
}

function readRole(variables: Variables): 'all' {
  const role = variables.HIVE_ROLE;
  if (role === undefined || role === 'all') return 'all';
  throw badVariable('HIVE_ROLE', role, 'all, the only one yet');
}

/** The value is left out of the message: it holds a password. */
function readDatabaseUrl(variables: Variables): string | null {
  const url = variables.DATABASE_URL;
  if (url === undefined) return null;
  if (/^postgres(ql)?:\/\/./.test(url)) return url;
  throw new GatewayError(
    'bad_request',
    'DATABASE_URL is not valid: it must begin with postgres:// or postgresql://',
    { param: 'DATABASE_URL' },
  );
}

function readSwitches(variables: Variables): Switches {
  const read = (name: keyof Switches): boolean =>
    readBoolean(variables, SWITCH_VARIABLES[name]) ?? true;
  return {
    feedback_loop: read('feedback_loop'),
    oracle: read('oracle'),
    lora_hotplug: read('lora_hotplug'),
    auto_rollback: read('auto_rollback'),
    safety_checks: read('safety_checks'),
  };
}

function readOverrides(variables: Variables): readonly PolicyOverride[] {
  const overrides: PolicyOverride[] = [];
  const put = (variable: string, pointer: string, parsed: Json): void => {
    const value = variables[variable];
    if (value !== undefined) overrides.push({ variable, value, pointer, parsed });
  };
  const number = (name: string, range: NumberRange): number =>
    readNumber(variables, name, 0, range);
  put(
    'ORACLE_CONFIDENCE_THRESHOLD',
    '/oracle/safety/min_confidence',
    number('ORACLE_CONFIDENCE_THRESHOLD', CONFIDENCE),
  );
  put(
    'ORACLE_MAX_MUTATIONS_PER_HOUR',
    '/oracle/safety/max_mutations_per_hour',
    number('ORACLE_MAX_MUTATIONS_PER_HOUR', MUTATIONS),
  );
  put(
    'CANARY_DEPLOYMENT_PERCENT',
    '/oracle/safety/canary/share',
    number('CANARY_DEPLOYMENT_PERCENT', PERCENT) / 100,
  );
  const approval = readBoolean(variables, 'REQUIRE_APPROVAL_FOR_HIGH_RISK');
  put(
    'REQUIRE_APPROVAL_FOR_HIGH_RISK',
    '/oracle/safety/require_approval/risk',
    approval === false ? 'none' : 'high',
  );
  return overrides;
}

function badVariable(name: string, value: string, allowed: string): GatewayError {
  const shown = value.length > 80 ? `${value.slice(0, 80)}…` : value;
  return new GatewayError('bad_request', `${name}=${shown} is not valid: allowed is ${allowed}`, {
    param: name,
  });
}

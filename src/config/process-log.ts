import { pino } from 'pino';
import { GatewayError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';

const LEVELS = ['info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LEVELS)[number];

/** HIVE_LOG_LEVEL; `warn` where it is unset, so that a newcomer's terminal shows the banner. */
export function readLogLevel(value: string | undefined): LogLevel {
  if (value === undefined || value === '') return 'warn';
  const level = LEVELS.find((known) => known === value);
  if (level) return level;
  throw new GatewayError(
    'bad_request',
    `HIVE_LOG_LEVEL=${value} is not valid: allowed is ${LEVELS.join(', ')}`,
    { param: 'HIVE_LOG_LEVEL' },
  );
}

/**
 * A process's log: one JSON object a line on stderr, written at once, so that the last line before
 * an end is not lost. stdout stays the banner's.
 */
export function createProcessLog(process_name: string, level: LogLevel): Log {
  const logger = pino(
    { level, base: { process: process_name, pid: process.pid } },
    pino.destination({ fd: 2, sync: true }),
  );
  return {
    info: (message, fields = {}) => logger.info(fields, message),
    warn: (message, fields = {}) => logger.warn(fields, message),
    error: (message, fields = {}) => logger.error(fields, message),
  };
}

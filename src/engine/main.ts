/**
 * The embedded engine's process: llama.cpp behind OpenAI's dialect, one more upstream to the
 * gateway. Forked with its configuration as the first argument; tells its parent when it is ready,
 * and ends when the parent does. Without a parent it prints the same line, for a look by hand:
 *
 *     node src/engine/main.ts '{"port":8093,"providers":{"local":{"model":"models/echo.gguf",
 *       "adapters":{},"context_tokens":512,"slots":4}}}'
 */
import type { AddressInfo } from 'node:net';
import { getLlama, LlamaLogLevel } from 'node-llama-cpp';
import { messageOf } from '../core/errors.ts';
import { uuidv7 } from '../core/ids.ts';
import type { Log, LogFields } from '../core/log.ts';
import {
  type EngineConfig,
  type EngineLoad,
  type EngineReady,
  parseEngineConfig,
} from './config.ts';
import { failedModel, loadServedModel, type ServedModel } from './served-model.ts';
import { createEngineServer } from './server.ts';

/** The engine may import only the contracts, so it writes the others’ kind of line by itself. */
const log: Log = {
  info: (message, fields) => {
    if (process.env.HIVE_LOG_LEVEL === 'info') writeLine('info', message, fields);
  },
  warn: (message, fields) => writeLine('warn', message, fields),
  error: (message, fields) => writeLine('error', message, fields),
};

function writeLine(level: string, message: string, fields: LogFields = {}): void {
  const line = { level, time: Date.now(), process: 'engine', msg: message, ...fields };
  process.stderr.write(`${JSON.stringify(line)}\n`);
}

const LOAD_EVERY_MS = 1000;

// Before anything else: a parent that is gone while models load must not leave an orphan.
for (const farewell of ['disconnect', 'SIGTERM', 'SIGINT'] as const) {
  process.on(farewell, () => process.exit(0));
}

try {
  await start(parseEngineConfig(process.argv[2]));
} catch (thrown) {
  log.error('the engine cannot start', { cause: messageOf(thrown) });
  process.exit(1);
}

async function start(config: EngineConfig): Promise<void> {
  const models = await loadModels(config);
  const server = createEngineServer({
    models,
    log,
    wall_ms: () => Date.now(),
    createId: () => `chatcmpl-${uuidv7(Date.now())}`,
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.port, '127.0.0.1', resolve);
  });
  const ready: EngineReady = {
    kind: 'engine-ready',
    port: (server.address() as AddressInfo).port,
  };
  if (process.send) {
    process.send(ready);
    setInterval(() => process.send?.(loadOf(models)), LOAD_EVERY_MS).unref();
  } else process.stdout.write(`${JSON.stringify(ready)}\n`);
}

function loadOf(models: ReadonlyMap<string, ServedModel>): EngineLoad {
  const loads = [...models].flatMap(([name, model]) => {
    const load = model.load?.();
    return load ? [[name, load] as const] : [];
  });
  return { kind: 'engine-load', models: Object.fromEntries(loads) };
}

/**
 * Every model loaded, or known to fail with the reason; one that fails does not stop the others.
 */
async function loadModels(config: EngineConfig): Promise<ReadonlyMap<string, ServedModel>> {
  const models = new Map<string, ServedModel>();
  const llama = await loadLlama();
  for (const [name, spec] of Object.entries(config.providers)) {
    const model =
      llama.engine === null
        ? failedModel(spec, llama.reason)
        : await loadServedModel(llama.engine, spec);
    models.set(name, model);
    if (model.failure === null) log.info('model loaded', { provider: name, model: model.id });
    else log.error(model.failure, { provider: name, path: spec.model });
  }
  return models;
}

/** A machine without a prebuilt llama.cpp still gets an engine process that says so. */
async function loadLlama() {
  try {
    const engine = await getLlama({
      gpu: false,
      build: 'never',
      logLevel: LlamaLogLevel.error,
      logger: (_level, message) => log.warn(message.trim()),
      progressLogs: false,
      maxThreads: 1,
    });
    return { engine, reason: '' };
  } catch (thrown) {
    return { engine: null, reason: messageOf(thrown) };
  }
}

import { z } from 'zod';
import type { SlotsLoad } from './slots.ts';

const Spec = z.strictObject({
  model: z.string(),
  adapters: z.record(z.string(), z.string()),
  context_tokens: z.int().positive(),
  slots: z.int().positive(),
});

/** What the engine process is started with: models by provider name, with absolute paths. */
const Config = z.strictObject({
  providers: z.record(z.string(), Spec),
  /** 0 lets the system choose; the choice is told in `engine-ready`. */
  port: z.int().min(0).max(65_535),
});

export type EngineConfig = z.output<typeof Config>;

/** What the engine tells its parent once it listens and every model is loaded or known to fail. */
export interface EngineReady {
  readonly kind: 'engine-ready';
  readonly port: number;
}

/** Told each second: how busy each provider's contexts are. */
export interface EngineLoad {
  readonly kind: 'engine-load';
  readonly models: Readonly<Record<string, SlotsLoad>>;
}

/** Throws on an argument that is not an engine's configuration. */
export function parseEngineConfig(argument: string | undefined): EngineConfig {
  return Config.parse(JSON.parse(argument ?? ''));
}

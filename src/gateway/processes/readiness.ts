/** What of the product is up beside the gateway: for the banner, which waits for it a while. */
export interface Readiness {
  engineUp(): void;
  workerUp(admin_port: number): void;
  adminPort(): number | null;
  /** Resolves when the engine and the worker are up, or after `within_ms`. */
  settled(within_ms: number): Promise<void>;
}

export function createReadiness(): Readiness {
  const engine = Promise.withResolvers<void>();
  const worker = Promise.withResolvers<void>();
  let admin_port: number | null = null;
  return {
    engineUp: () => engine.resolve(),
    workerUp(port) {
      admin_port = port;
      worker.resolve();
    },
    adminPort: () => admin_port,
    async settled(within_ms) {
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, within_ms);
      await Promise.race([Promise.all([engine.promise, worker.promise]), late.promise]);
      clearTimeout(timer);
    },
  };
}

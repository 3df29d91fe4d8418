/** What of the product is up: for `/ready`, and for the banner, which waits for it a while. */
export interface Readiness {
  engineUp(): void;
  workerUp(admin_port: number): void;
  /** Whether calls are taken: true from the start until it stops. */
  serving(): boolean;
  stop(): void;
  adminPort(): number | null;
  /** Resolves when the engine and the worker are up, or after `within_ms`. */
  settled(within_ms: number): Promise<void>;
}

export function createReadiness(): Readiness {
  const engine = Promise.withResolvers<void>();
  const worker = Promise.withResolvers<void>();
  let admin_port: number | null = null;
  let open = true;
  return {
    engineUp: () => engine.resolve(),
    workerUp(port) {
      admin_port = port;
      worker.resolve();
    },
    serving: () => open,
    stop() {
      open = false;
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

const OVER_BUDGET = 'over budget';

/** The work's value, or a rejection where it takes too long: only what awaits can be stopped. */
export function withinBudget<Value>(work: PromiseLike<Value>, budget_ms: number): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('slow', { cause: OVER_BUDGET })), budget_ms);
    work.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (thrown: unknown) => {
        clearTimeout(timer);
        reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
      },
    );
  });
}

export function isOverBudget(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.cause === OVER_BUDGET;
}

export function isThenable(value: unknown): value is PromiseLike<never> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

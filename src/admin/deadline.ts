/** What `within` resolves with where the work was not done in time. */
export const LATE = Symbol('late');

/**
 * The work's result, or `LATE` after `limit_ms`. The work goes on; if it fails after its asker has
 * been answered, `onLateFailure` is the only one who hears of it.
 */
export async function within<Value>(
  work: Promise<Value>,
  limit_ms: number,
  onLateFailure: (thrown: unknown) => void,
): Promise<Value | typeof LATE> {
  let timer: NodeJS.Timeout | undefined;
  let late = false;
  const end = new Promise<typeof LATE>((resolve) => {
    timer = setTimeout(() => {
      late = true;
      resolve(LATE);
    }, limit_ms);
  });
  work.catch((thrown) => {
    if (late) onLateFailure(thrown);
  });
  try {
    return await Promise.race([work, end]);
  } finally {
    clearTimeout(timer);
  }
}

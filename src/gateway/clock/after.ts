/** Runs `act` once, after real milliseconds; returns how to call it off. */
export type After = (act: () => void, ms: number) => () => void;

/** A timer that does not keep the process alive. */
export const afterUnref: After = (act, ms) => {
  const timer = setTimeout(act, ms);
  timer.unref();
  return () => clearTimeout(timer);
};

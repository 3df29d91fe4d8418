// libuv has four threads for files, and half of them for names: two names whose server does not
// answer would keep every other name waiting. Read once, at the first use, so it is set before any.
const THREADS = '16';

/** Children inherit it; what the user has set stays. */
export function widenThreadPool(env) {
  env.UV_THREADPOOL_SIZE ??= THREADS;
}

/** Structured lines for operators. Fields are an allow-list by habit: never a body, never a key. */
export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** For code that must not speak, and for tests that do not listen. */
export const silentLog: Log = {
  info() {},
  warn() {},
  error() {},
};

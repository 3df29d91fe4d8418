import { bigint } from '../drizzle.ts';

/** Policy milliseconds: whole numbers that a double holds exactly. */
export const ms = (name: string) => bigint(name, { mode: 'number' });

/** A count that deltas are added to. */
export const count = (name: string) => bigint(name, { mode: 'number' }).notNull();

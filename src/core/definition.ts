import type { ZodType } from 'zod';
import type { MetricName } from './metrics.ts';

/**
 * The one shape of everything that can be added to the product: a plugin, a provider, a detector, a
 * mutation or a gate. One file holds one definition, exported as `definition`; one line in the
 * folder's `index.ts` makes it known, and one test proves it.
 *
 * - `name` equals the file's name and is what the policy writes after `use:`.
 * - `summary` is one sentence: a row of the generated docs.
 * - `options` is a strict schema: an unknown key is a typo, reported with its line and column.
 * - `create` is fast and does no I/O. It may run at every policy swap, so whatever must survive a
 *   swap is kept in the host (`host.keep`), never in a closure. It may throw to refuse the options;
 *   then the old policy goes on serving.
 */
export interface Definition<Options, Host, Product> {
  readonly name: string;
  readonly summary: string;
  readonly options: ZodType<Options>;
  /** Metrics that tell of it, beside those that all of its kind have: for the generated docs. */
  readonly metrics?: readonly MetricName[];
  create(options: Options, host: Host): Product;
}

/**
 * A definition whose option type is hidden, as a registry holds it. Options reach `create` only
 * through `options.parse`, so the erased type is never trusted.
 */
export interface AnyDefinition<Host, Product> {
  readonly name: string;
  readonly summary: string;
  readonly options: ZodType;
  readonly metrics?: readonly MetricName[];
  create(options: never, host: Host): Product;
}

export type Registry<Host, Product> = ReadonlyMap<string, AnyDefinition<Host, Product>>;

/** A registry from a folder's list; two definitions of one name are a programming error. */
export function registryOf<Host, Product>(
  definitions: readonly AnyDefinition<Host, Product>[],
): Registry<Host, Product> {
  const registry = new Map(definitions.map((definition) => [definition.name, definition]));
  if (registry.size !== definitions.length) throw new Error('two definitions share a name');
  return registry;
}

/** Parses the options and creates the product. Throws a ZodError on options that do not fit. */
export function instantiate<Host, Product>(
  definition: AnyDefinition<Host, Product>,
  options: unknown,
  host: Host,
): Product {
  return definition.create(definition.options.parse(options ?? {}) as never, host);
}

/** What every host lends: state that outlives a policy swap, and the time. */
export interface LeafHost {
  /**
   * The value kept under `id`, made on first use. A tuned threshold compiles a new instance, and
   * must not reset a circuit breaker or a counter: such state lives here.
   */
  keep<Value>(id: string, make: () => Value): Value;
  /** Milliseconds that never run backwards and are never scaled: for latencies and timeouts. */
  monotonic_ms(): number;
  /** Milliseconds since the epoch in policy time: for windows, cooldowns and maturity. */
  policy_ms(): number;
}

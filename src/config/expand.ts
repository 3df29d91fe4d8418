/** `${VAR}` and `${VAR:-default}` in the string scalars of a policy file. */

const REFERENCE = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;
const SECRET = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/;

export interface Expansion {
  readonly path: readonly (string | number)[];
  /** The text as it stands in the file. */
  readonly text: string;
}

export interface Expanded {
  readonly data: unknown;
  readonly expansions: readonly Expansion[];
  /** Variables that are unset and have no default. */
  readonly unset: readonly { readonly path: Expansion['path']; readonly variable: string }[];
  /** Keys that would reach an object's prototype. */
  readonly forbidden: readonly Expansion['path'][];
}

/**
 * Expands after parsing and on strings only, so that a variable's value can never become structure.
 * What `keeps` says is left as it is: secrets stay references, in the policy and in its version.
 */
export function expand(
  data: unknown,
  variables: Readonly<Record<string, string>>,
  keeps: (path: Expansion['path']) => boolean,
): Expanded {
  const expansions: Expansion[] = [];
  const unset: { path: Expansion['path']; variable: string }[] = [];
  const forbidden: Expansion['path'][] = [];

  const text = (value: string, path: Expansion['path']): string => {
    if (!value.includes('${') || keeps(path)) return value;
    expansions.push({ path, text: value });
    return value.replace(REFERENCE, (whole, name: string, fallback: string | undefined) => {
      const found = Object.hasOwn(variables, name) ? variables[name] : undefined;
      if (found === undefined && fallback === undefined) unset.push({ path, variable: name });
      return found ?? fallback ?? whole;
    });
  };

  const walk = (value: unknown, path: Expansion['path']): unknown => {
    if (typeof value === 'string') return text(value, path);
    if (Array.isArray(value)) return value.map((item, index) => walk(item, [...path, index]));
    if (value === null || typeof value !== 'object') return value;
    const members: [string, unknown][] = [];
    for (const [key, member] of Object.entries(value)) {
      if (key === '__proto__') forbidden.push([...path, key]);
      else members.push([key, walk(member, [...path, key])]);
    }
    return Object.fromEntries(members);
  };

  return { data: walk(data, []), expansions, unset, forbidden };
}

/** The variable that a secret's reference names, or null where it is no plain `${VAR}`. */
export function secretVariable(value: unknown): string | null {
  return typeof value === 'string' ? (SECRET.exec(value)?.[1] ?? null) : null;
}

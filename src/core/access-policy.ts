/** Who may call the gateway, and as whom. */
export interface AccessPolicy {
  /** `open`: no keys, on a loopback address only. `keys`: nobody without one. */
  readonly mode: 'open' | 'keys';
  /** By the SHA-256 of the key, in lower-case hex: the key itself is nowhere. */
  readonly keys: Readonly<Record<string, AccessKey>>;
}

export interface AccessKey {
  readonly name: string;
  readonly tenant: string;
  /** The agents that it may use, or null for all. */
  readonly agents: readonly string[] | null;
  /** What else it is believed: with `user`, memory takes a user from what it says. */
  readonly asserts: readonly 'user'[];
}

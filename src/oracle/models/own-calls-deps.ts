/** How the oracle reaches the gateway as itself. */
export interface OwnCallsDeps {
  /** Where the gateway answers, without `/v1`. */
  readonly gateway_url: string;
  /** The value of the header that marks its calls. */
  token(): string;
  /** The hash under which a tenant's user or session is stored. */
  hash(tenant: string, value: string): string;
}

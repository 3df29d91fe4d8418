/** What a request's URL is made of: where it goes, and what its path begins with. */
export interface BaseUrl {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Without a trailing slash. */
  readonly path: string;
}

const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
/** What ends in a letter is no address; `xn--` is what the parser looks into. */
const HOST = `(?:(?:${OCTET}\\.){3}${OCTET}|(?!.*xn--)[a-z](?:[a-z0-9.-]*[a-z])?)`;
const PORT = '(?::(?!80\\b|443\\b)(?:[1-9]\\d{0,3}|[1-5]\\d{4}))?';
const SEGMENT = '/[A-Za-z0-9_~-][A-Za-z0-9._~-]*';
/** A URL that its parser would leave as it is; one is taken apart twice a call. */
const PLAIN = new RegExp(`^(https?://${HOST}${PORT})((?:${SEGMENT})*)/?$`);

/** Takes a provider's base URL apart; an empty one (engine not up) has neither part. */
export function baseUrlOf(base_url: string): BaseUrl {
  if (base_url === '') return NONE;
  const plain = PLAIN.exec(base_url);
  if (plain) return { origin: plain[1] as string, path: plain[2] as string };
  const url = new URL(base_url);
  return { origin: url.origin, path: url.pathname.replace(/\/+$/, '') };
}

const NONE: BaseUrl = { origin: '', path: '' };

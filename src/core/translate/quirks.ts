import type { JsonObject } from '../canonical.ts';

/** How a host's chat completions differ from OpenAI's; what is absent is as OpenAI has it. */
export interface ChatQuirks {
  /** The one name of the token limit that it knows; requests that use the other are rewritten. */
  readonly limit?: 'max_tokens' | 'max_completion_tokens';
  /** False where it refuses `stream_options`: then nobody asks for usage in streams. */
  readonly stream_options?: false;
  /** Fields that it refuses; translated requests go without them, and say so. */
  readonly lacks?: readonly string[];
  /** Fields beyond OpenAI's that translated requests may use. */
  readonly knows?: readonly string[];
  /** The field of a message in which it takes earlier reasoning back. */
  readonly reasoning?: 'reasoning_content' | 'reasoning';
  /** Models that take `reasoning_effort`; those of no other name are asked without. */
  readonly effort?: RegExp;
  /** Models that take Anthropic's `thinking`, as far as it is `enabled` or `disabled`. */
  readonly thinking_switch?: RegExp;
  /** Models that know efforts above `high`, of which `xhigh` is one. */
  readonly xhigh?: RegExp;
  /** Models that refuse `temperature`, `top_p` and `stop`; translated requests go without them. */
  readonly fixed?: RegExp;
  /** Models that refuse `temperature` and `top_p` where they are asked for an effort. */
  readonly fixed_by_effort?: RegExp;
  /** Models that refuse `stop` alone. */
  readonly no_stop?: RegExp;
  /** What the ids of calls have to look like: others are shortened to nine hex digits. */
  readonly call_ids?: RegExp;
  /** Models that refuse a call that they have not made themselves, unless it bears these fields. */
  readonly call_mark?: { readonly models: RegExp; readonly fields: JsonObject };
  /** It takes text as one string only, not in parts. */
  readonly joins_text?: true;
}

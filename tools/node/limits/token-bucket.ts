// A token bucket (the idea of RFC 2697): it holds so much, and so much comes back in a second. Pure: the time that passed is handed in.

export interface BucketTerms {
  /** tokens that come back in a second */
  readonly tokens_s: number;
  /** tokens of a bucket that is full, as each is at first */
  readonly tokens_max: number;
}

/** What a bucket of so many tokens holds later. It may owe; a clock that was set back gives and takes nothing. */
export function tokensAfter(tokens: number, passed_ms: number, { tokens_s, tokens_max }: BucketTerms): number {
  return Math.min(tokens_max, tokens + (Math.max(0, passed_ms) / 1000) * tokens_s);
}

// How many envelopes a custodian takes of an origin. A member that lies fills no disk with envelopes of meters that there are not.

import { BoundedMap } from "../../bounded-map.js";
import { type BucketTerms, tokensAfter } from "../limits/token-bucket.js";

/** Of one origin for one meter and day: one more after each restart and each change of members. */
export const ENVELOPES_OF_DAY_MAX = 32;
/** Those of all its meters come together, as the day begins. */
const ofAll: BucketTerms = { tokens_max: 50_000, tokens_s: 1 };
/** Of meters without a credential here: theirs comes with their first record. */
const ofUnknown: BucketTerms = { tokens_max: 1_000, tokens_s: 0.1 };
/** Origins and kinds that are remembered; there are at most 128 members. */
const REMEMBERED_MAX = 512;

export interface EnvelopeLimits {
  /** False where the origin has brought too many lately; counts this one otherwise. */
  take(origin: string, isKnownMeter: boolean): boolean;
}

export function createEnvelopeLimits(now_ms: () => number): EnvelopeLimits {
  const buckets = new BoundedMap<string, { readonly tokens: number; readonly at_ms: number }>(REMEMBERED_MAX);
  const tokensOf = (name: string, terms: BucketTerms) => {
    const { tokens, at_ms } = buckets.get(name) ?? { tokens: terms.tokens_max, at_ms: now_ms() };
    return tokensAfter(tokens, now_ms() - at_ms, terms);
  };
  return {
    take(origin, isKnownMeter) {
      const rows = [
        { name: origin, terms: ofAll },
        ...(isKnownMeter ? [] : [{ name: `${origin}?`, terms: ofUnknown }]),
      ];
      const held = rows.map(({ name, terms }) => ({ name, tokens: tokensOf(name, terms) }));
      if (held.some(({ tokens }) => tokens < 1)) return false;
      for (const { name, tokens } of held) buckets.set(name, { tokens: tokens - 1, at_ms: now_ms() });
      return true;
    },
  };
}

// Limits an address: what counts as one, how many of a thing each has, how fast each may ask. Pure: the time is handed in, and
// memory is bounded, whoever asks.

import { isIPv4, isIPv6 } from "node:net";
import { type BucketTerms, tokensAfter } from "./token-bucket.js";

/** Everything on the machine itself comes from there. */
export const LOOPBACK = "loopback";
const UNKNOWN = "unknown";
const MAPPED = "::ffff:";
const IPV6_WORDS = 8;
/** A subscriber of IPv6 has a /64 (RFC 6177) and may take any address of it. */
const NETWORK_WORDS = 4;

/** What a remote address is counted as: an IPv4 address, the /64 of an IPv6 one, or all of loopback. */
export function addressGroup(address: string | undefined): string {
  if (address === undefined) return UNKNOWN;
  const plain = address.toLowerCase().split("%", 1)[0]!;
  if (plain.startsWith(MAPPED) && isIPv4(plain.slice(MAPPED.length))) return addressGroup(plain.slice(MAPPED.length));
  if (isIPv4(plain)) return plain.startsWith("127.") ? LOOPBACK : plain;
  if (!isIPv6(plain)) return UNKNOWN;
  if (plain === "::1") return LOOPBACK;
  return `${wordsOf(plain).slice(0, NETWORK_WORDS).join(":")}::/64`;
}

/** The eight words of an IPv6 address; those that it states as IPv4 are behind its /64. */
function wordsOf(address: string): readonly string[] {
  const [left = "", right] = address.split("::", 2);
  const words = (text: string) =>
    (text === "" ? [] : text.split(":")).flatMap((w) => (w.includes(".") ? ["0", "0"] : w));
  const before = words(left);
  const after = right === undefined ? [] : words(right);
  const zeros = Array.from({ length: Math.max(0, IPV6_WORDS - before.length - after.length) }, () => "0");
  return [...before, ...zeros, ...after].map((word) => Number.parseInt(word, 16).toString(16));
}

/** How many of something each address has. */
export interface AddressCounts {
  /** False, and nothing counted, where the address has as many as it may. */
  take(group: string): boolean;
  release(group: string): void;
  of(group: string): number;
}

/** Holds a row for each address that has any, so what is counted bounds it. */
export function createAddressCounts(most: (group: string) => number): AddressCounts {
  const counts = new Map<string, number>();
  const of = (group: string) => counts.get(group) ?? 0;
  return {
    of,
    take(group) {
      if (of(group) >= most(group)) return false;
      counts.set(group, of(group) + 1);
      return true;
    },
    release(group) {
      if (of(group) > 1) counts.set(group, of(group) - 1);
      else counts.delete(group);
    },
  };
}

/** A token bucket an address. What is done may be charged behind it: a bucket can owe, and who owes waits. */
export interface AddressBuckets {
  /** Milliseconds until the address may ask again; 0 where it may now. */
  wait_ms(group: string, now_ms: number): number;
  charge(group: string, tokens: number, now_ms: number): void;
  /** How many buckets are kept; one that is full again is forgotten. */
  readonly size: number;
}

interface Bucket {
  tokens: number;
  at_ms: number;
}

/** Where more than `addresses_max` have used theirs, those that have waited longest get a full one again. */
export function createAddressBuckets(terms: (group: string) => BucketTerms, addresses_max: number): AddressBuckets {
  /** the one used last is last */
  const buckets = new Map<string, Bucket>();
  const refill = (group: string, now_ms: number): Bucket => {
    const bucket = buckets.get(group);
    if (bucket === undefined) return { tokens: terms(group).tokens_max, at_ms: now_ms };
    return { tokens: tokensAfter(bucket.tokens, now_ms - bucket.at_ms, terms(group)), at_ms: now_ms };
  };
  return {
    get size() {
      return buckets.size;
    },
    wait_ms(group, now_ms) {
      const { tokens } = refill(group, now_ms);
      return tokens > 0 ? 0 : Math.max(1, Math.ceil((-tokens * 1000) / terms(group).tokens_s));
    },
    charge(group, tokens, now_ms) {
      const bucket = refill(group, now_ms);
      buckets.delete(group);
      buckets.set(group, { tokens: bucket.tokens - tokens, at_ms: now_ms });
      const [[oldest] = [""]] = buckets;
      const isFull = oldest !== group && refill(oldest, now_ms).tokens >= terms(oldest).tokens_max;
      if (isFull || buckets.size > addresses_max) buckets.delete(oldest);
    },
  };
}

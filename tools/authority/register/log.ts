// Entries of the register's log, each a line of JSON that names the SHA-256 of the one before: whoever knows the newest hash knows
// that no entry was changed, taken out or put in. Entries are hashed as they are stored.

import { toHex } from "../../../src/wire/bytes.js";
import { sha256 } from "../../crypto/hash.js";
import type { Change } from "./changes.js";

export interface Entry {
  /** 1, 2, 3 ... */
  readonly number: number;
  /** hash of the entry before in hex; zeros before the first */
  readonly previous: string;
  readonly time_s: number;
  readonly change: Change;
}

/** The newest entry's number and hash; it names the whole register. */
export interface LogHead {
  readonly number: number;
  readonly hash: string;
}

/** Before the first entry. */
export const emptyHead: LogHead = { number: 0, hash: "00".repeat(32) };

/** The entry that follows a head, as it is stored, and the head that it makes. */
export function nextEntry(
  head: LogHead,
  change: Change,
  time_s: number,
): { readonly bytes: Uint8Array; readonly head: LogHead } {
  const entry: Entry = { number: head.number + 1, previous: head.hash, time_s, change };
  const bytes = new TextEncoder().encode(JSON.stringify(entry));
  return { bytes, head: { number: entry.number, hash: toHex(sha256(bytes)) } };
}

/** The entry in these bytes where it follows the head; otherwise what is wrong. */
export function followingEntry(
  head: LogHead,
  bytes: Uint8Array,
): { readonly entry: Entry; readonly head: LogHead } | string {
  let entry: Entry;
  try {
    entry = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as Entry;
  } catch {
    return "it is no JSON";
  }
  if (entry?.number !== head.number + 1) return `it is not numbered ${head.number + 1}`;
  if (entry.previous !== head.hash) return "it does not name the hash of the entry before";
  if (!Number.isSafeInteger(entry.time_s) || typeof entry.change?.type !== "string") return "it has no time or change";
  return { entry, head: { number: entry.number, hash: toHex(sha256(bytes)) } };
}

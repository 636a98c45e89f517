// Which ciphertext is the one that an original node has sent: its own word counts, or that of f + 1 members alike, of whom one is correct
// and has had it on disk when it acknowledged the record. A ciphertext itself shows nothing before it is opened.

import { toHex } from "../../../../src/wire/bytes.js";
import { sha256 } from "../../../../src/wire/hash.js";
import { encodeSealed, type SealedDisclosures } from "../../../../src/wire/sealed-disclosure.js";
import { BoundedMap } from "../../../bounded-map.js";

/** Records of which it is remembered who has sent what. */
const RECORDS_MAX = 4_096;

export interface Alike {
  /** digests by node, by the record's hash as hex */
  readonly said: BoundedMap<string, Map<string, string>>;
}

export interface Word {
  /** ids as hex: of who has sent it, and of the record's original node */
  readonly from: string;
  readonly origin: string;
  /** f + 1 */
  readonly needed: number;
}

export function createAlike(): Alike {
  return { said: new BoundedMap(RECORDS_MAX) };
}

/** Whether these are the record's; notes who has sent them otherwise. Of one node the last word counts. */
export function isVouched({ said }: Alike, sealed: SealedDisclosures, { from, origin, needed }: Word): boolean {
  const name = toHex(sealed.recordHash);
  const digest = toHex(sha256(encodeSealed(sealed)));
  const digests = said.get(name) ?? new Map<string, string>();
  digests.set(from, digest);
  const alike = [...digests.values()].filter((other) => other === digest).length;
  const isEnough = from === origin || alike >= needed;
  if (isEnough) said.delete(name);
  else said.set(name, digests);
  return isEnough;
}

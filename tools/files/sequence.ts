// Items of a CBOR sequence (RFC 8742) that is held whole: signed messages with their tag 18 in front, or untagged items.

import { WireError } from "../../src/wire/error.js";
import { type GuardLimits, guardCborPrefix } from "../../src/wire/guard.js";

const TAG_SIGN1 = 0xd2;

/** The items as views of `bytes`, each under the limits. Throws a WireError that names the item which is none. */
export function* itemsOf(bytes: Uint8Array, limits: GuardLimits): Generator<Uint8Array> {
  for (let offset = 0, number = 1; offset < bytes.length; number += 1) {
    const rest = bytes.subarray(offset);
    const length = lengthOf(rest, limits, number);
    yield rest.subarray(0, length);
    offset += length;
  }
}

function lengthOf(rest: Uint8Array, limits: GuardLimits, number: number): number {
  const tag = rest[0] === TAG_SIGN1 ? 1 : 0;
  try {
    return tag + guardCborPrefix(rest.subarray(tag), limits);
  } catch (error) {
    if (error instanceof WireError) throw new WireError(error.code, `item ${number}: ${error.message}`);
    throw error;
  }
}

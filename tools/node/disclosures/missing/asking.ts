// What nodes ask each other for that was away: sealed disclosures of records, shares of envelopes. Bounded lists of names.

import { SEQ_MAX } from "../../../../src/wire/bounds.js";
import { type CborValue, decodeCbor, encodeCbor } from "../../../../src/wire/cbor.js";
import { DAY_MAX } from "../../../../src/wire/envelope.js";
import { WireError } from "../../../../src/wire/error.js";
import { asArray, asBytes, asList, asUint } from "../../../../src/wire/shape.js";

/** Names in one question. */
export const RECORDS_ASKED_MAX = 256;
export const SHARES_ASKED_MAX = 32;
const NAME_BYTES_MAX = 64;

/** An envelope of which a share is asked for. */
export interface Asked {
  readonly meter: Uint8Array;
  /** its day */
  readonly number: number;
  /** its id */
  readonly hash: Uint8Array;
}

/** A record whose sealed disclosures are asked for: its number, its hash. */
export interface AskedRecord extends Asked {
  /** id of the node whose encryption is asked for: others may have encrypted the same */
  readonly origin: Uint8Array;
}

export function encodeAsked(asked: readonly Asked[]): Uint8Array {
  return encodeCbor(asked.map(({ meter, number, hash }): CborValue => [meter, number, hash]));
}

export function encodeAskedRecords(asked: readonly AskedRecord[]): Uint8Array {
  return encodeCbor(asked.map(({ meter, number, hash, origin }): CborValue => [meter, number, hash, origin]));
}

function listIn(payload: Uint8Array, most: number): readonly CborValue[] {
  const limits = { size: NAME_BYTES_MAX * most + 8, items: 5 * most + 1 };
  const asked = asList(decodeCbor(payload, limits), "question", most);
  if (asked.length === 0) throw new WireError("shape", "question names nothing");
  return asked;
}

function askedIn([meter, number, hash]: readonly CborValue[], number_max: number): Asked {
  return {
    meter: asBytes(meter, "asked meter", 8),
    number: asUint(number, "asked number", number_max),
    hash: asBytes(hash, "asked hash", 32),
  };
}

/** Throws a WireError. */
export function decodeAskedRecords(payload: Uint8Array): AskedRecord[] {
  return listIn(payload, RECORDS_ASKED_MAX).map((item) => {
    const items = asArray(item, "question", 4);
    return { ...askedIn(items, SEQ_MAX), origin: asBytes(items[3], "asked origin", 8) };
  });
}

/** Throws a WireError. */
export function decodeAskedShares(payload: Uint8Array): Asked[] {
  return listIn(payload, SHARES_ASKED_MAX).map((item) => askedIn(asArray(item, "question", 3), DAY_MAX));
}

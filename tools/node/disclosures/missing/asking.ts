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

/** A record whose sealed disclosures are asked for, or an envelope of which a share is. */
export interface Asked {
  readonly meter: Uint8Array;
  /** of the record; of the envelope its day */
  readonly number: number;
  /** of the record; of the envelope its id */
  readonly hash: Uint8Array;
}

export function encodeAsked(asked: readonly Asked[]): Uint8Array {
  return encodeCbor(asked.map(({ meter, number, hash }): CborValue => [meter, number, hash]));
}

function decodeAsked(payload: Uint8Array, most: number, number_max: number): Asked[] {
  const limits = { size: NAME_BYTES_MAX * most + 8, items: 4 * most + 1 };
  const asked = asList(decodeCbor(payload, limits), "question", most).map((item) => {
    const [meter, number, hash] = asArray(item, "question", 3);
    return {
      meter: asBytes(meter, "asked meter", 8),
      number: asUint(number, "asked number", number_max),
      hash: asBytes(hash, "asked hash", 32),
    };
  });
  if (asked.length === 0) throw new WireError("shape", "question names nothing");
  return asked;
}

/** Throws a WireError. */
export function decodeAskedRecords(payload: Uint8Array): Asked[] {
  return decodeAsked(payload, RECORDS_ASKED_MAX, SEQ_MAX);
}

/** Throws a WireError. */
export function decodeAskedShares(payload: Uint8Array): Asked[] {
  return decodeAsked(payload, SHARES_ASKED_MAX, DAY_MAX);
}

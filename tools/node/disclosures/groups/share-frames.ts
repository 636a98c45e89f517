// What custodians say to each other for the sums over a group: a question for shares of a meter's day, and a share.

import { REQUEST_NAME_MAX } from "../../../../src/wire/aggregate.js";
import { type CborValue, decodeCbor, encodeCbor } from "../../../../src/wire/cbor.js";
import { type DeliveredShare, deliveredShareFrom } from "../../../../src/wire/delivery.js";
import { DAY_MAX, ENVELOPE_BYTES_MAX } from "../../../../src/wire/envelope.js";
import { asArray, asBytes, asText, asUint } from "../../../../src/wire/shape.js";

/** Of a sealed share, or a part of one. */
const SEALED_BYTES_MAX = 128;
const questionLimits = { size: 64, items: 8 };
const shareLimits = { size: 2 * ENVELOPE_BYTES_MAX + SEALED_BYTES_MAX + 128, items: 12 };

export interface GroupQuestion {
  /** name of the request that is granted */
  readonly request: string;
  readonly meter: Uint8Array;
  readonly day: number;
}

export interface GroupShare extends GroupQuestion {
  readonly share: DeliveredShare;
}

export function encodeQuestion({ request, meter, day }: GroupQuestion): Uint8Array {
  return encodeCbor([request, meter, day]);
}

/** Throws a WireError. */
export function decodeQuestion(payload: Uint8Array): GroupQuestion {
  return questionFrom(asArray(decodeCbor(payload, questionLimits), "question for a group", 3));
}

/** `item` is [envelope, division / null, enc, ciphertext], encoded. */
export function encodeShare({ request, meter, day }: GroupQuestion, item: Uint8Array): Uint8Array {
  return encodeCbor([request, meter, day, item]);
}

/** Throws a WireError. */
export function decodeShare(payload: Uint8Array): GroupShare {
  const [request, meter, day, item] = asArray(decodeCbor(payload, shareLimits), "share for a group", 4);
  return { ...questionFrom([request!, meter!, day!]), share: deliveredShareIn(asBytes(item, "share for a group")) };
}

/** A share as it is delivered. Throws a WireError. */
export function deliveredShareIn(item: Uint8Array): DeliveredShare {
  return deliveredShareFrom(decodeCbor(item, shareLimits));
}

function questionFrom([request, meter, day]: readonly CborValue[]): GroupQuestion {
  return {
    request: asText(request, "question's request", REQUEST_NAME_MAX),
    meter: asBytes(meter, "question's meter", 8),
    day: asUint(day, "question's day", DAY_MAX),
  };
}

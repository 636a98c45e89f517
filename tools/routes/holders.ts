// Who signs records on a chain: meters and participants, each with its credential and how far it has come.

import { Type } from "@sinclair/typebox";
import { SEQ_MAX, TIME_S_MAX } from "../../src/wire/bounds.js";
import { decodeCbor, encodeCbor } from "../../src/wire/cbor.js";
import { CREDENTIAL_BYTES_MAX } from "../../src/wire/credential.js";
import { asArray, asBytes, asUint } from "../../src/wire/shape.js";
import { id, service } from "./fields.js";
import type { RouteShape } from "./shape.js";

export const HOLDERS_PER_ANSWER_MAX = 1_000;
export const HOLDER_ROW_BYTES_MAX = CREDENTIAL_BYTES_MAX + 64;

/** A sequence of rows in the order of their ids. */
export const holders = {
  method: "GET",
  path: "/chains/:service/holders",
  parameters: Type.Object({ service }),
  query: Type.Object({
    from: Type.String({ pattern: id.pattern!, description: id.description!, default: "0000000000000000" }),
    limit: Type.Integer({ minimum: 1, maximum: HOLDERS_PER_ANSWER_MAX, default: 100 }),
  }),
  answer: { type: "application/cbor-seq" },
  statuses: [200],
  refusals: ["malformed", "damaged"],
  limits: "costly",
  access: "chain",
} as const satisfies RouteShape;

export interface HolderRow {
  readonly kid: Uint8Array;
  /** highest sealed number */
  readonly high: number;
  /** numbers below that are not sealed and may still come */
  readonly missing: number;
  /** as the authority signed it */
  readonly credential: Uint8Array;
  /** of the record with the highest number by its signer's clock; undefined where the node keeps it no more */
  readonly time_s: number | undefined;
  /** of the block that seals it */
  readonly sealed_s: number | undefined;
}

/** [id, highest number, missing numbers, credential, its record's time / null, its block's time / null] */
export function encodeHolderRow({ kid, high, missing, credential, time_s, sealed_s }: HolderRow): Uint8Array {
  return encodeCbor([kid, high, missing, credential, time_s ?? null, sealed_s ?? null]);
}

/** Throws a WireError where the bytes are no row. */
export function decodeHolderRow(row: Uint8Array): HolderRow {
  const items = asArray(decodeCbor(row, { size: HOLDER_ROW_BYTES_MAX, items: 8 }), "holder row", 6);
  const [kid, high, missing, credential, time_s, sealed_s] = items;
  return {
    kid: asBytes(kid, "holder row's id", 8),
    high: asUint(high, "holder row's number", SEQ_MAX),
    missing: asUint(missing, "holder row's missing numbers", SEQ_MAX),
    credential: asBytes(credential, "holder row's credential"),
    time_s: time_s === null ? undefined : asUint(time_s, "holder row's time", TIME_S_MAX),
    sealed_s: sealed_s === null ? undefined : asUint(sealed_s, "holder row's block's time", TIME_S_MAX),
  };
}

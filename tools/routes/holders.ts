// Who signs records on a chain: meters and participants, each with its credential and how far it has come.

import { Type } from "@sinclair/typebox";
import { SEQ_MAX } from "../../src/wire/bounds.js";
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
}

/** [id, highest number, missing numbers, credential] */
export function encodeHolderRow({ kid, high, missing, credential }: HolderRow): Uint8Array {
  return encodeCbor([kid, high, missing, credential]);
}

/** Throws a WireError where the bytes are no row. */
export function decodeHolderRow(row: Uint8Array): HolderRow {
  const [kid, high, missing, credential] = asArray(
    decodeCbor(row, { size: HOLDER_ROW_BYTES_MAX, items: 8 }),
    "holder row",
    4,
  );
  return {
    kid: asBytes(kid, "holder row's id", 8),
    high: asUint(high, "holder row's number", SEQ_MAX),
    missing: asUint(missing, "holder row's missing numbers", SEQ_MAX),
    credential: asBytes(credential, "holder row's credential"),
  };
}

// What each meter of a chain has had sealed on one UTC day: a row a meter.

import { Type } from "@sinclair/typebox";
import { PLAIN_MAX, SEQ_MAX, TIME_S_MAX } from "../../src/wire/bounds.js";
import { decodeCbor, encodeCbor } from "../../src/wire/cbor.js";
import { asArray, asBytes, asUint } from "../../src/wire/shape.js";
import { nothing, service } from "./fields.js";
import type { RouteShape } from "./shape.js";

export const DAY_S = 86_400;
/** A record that is sealed so long after its own time is late. */
export const LATE_S = 900;
export const DAY_ROW_BYTES_MAX = 64;

/** A sequence of rows in the order of the meters' ids. */
export const day = {
  method: "GET",
  path: "/chains/:service/days/:day",
  parameters: Type.Object({ service, day: Type.Integer({ minimum: 0, maximum: Math.floor(TIME_S_MAX / DAY_S) }) }),
  query: nothing,
  answer: { type: "application/cbor-seq" },
  statuses: [200],
  refusals: ["malformed", "pruned", "damaged"],
  limits: "costly",
  access: "chain",
} as const satisfies RouteShape;

/** Of the blocks of a day. */
export interface DayRow {
  readonly kid: Uint8Array;
  readonly records: number;
  /** least and greatest number */
  readonly first: number;
  readonly last: number;
  readonly late: number;
  /** with at least one doubt of its meter's reader */
  readonly doubtful: number;
}

/** [id, records, first number, last number, late, doubtful] */
export function encodeDayRow({ kid, records, first, last, late, doubtful }: DayRow): Uint8Array {
  return encodeCbor([kid, records, first, last, late, doubtful]);
}

/** Throws a WireError where the bytes are no row. */
export function decodeDayRow(row: Uint8Array): DayRow {
  const items = asArray(decodeCbor(row, { size: DAY_ROW_BYTES_MAX, items: 8 }), "day row", 6);
  const [kid, records, first, last, late, doubtful] = items;
  return {
    kid: asBytes(kid, "day row's id", 8),
    records: asUint(records, "day row's records", PLAIN_MAX),
    first: asUint(first, "day row's first number", SEQ_MAX),
    last: asUint(last, "day row's last number", SEQ_MAX),
    late: asUint(late, "day row's late records", PLAIN_MAX),
    doubtful: asUint(doubtful, "day row's doubtful records", PLAIN_MAX),
  };
}

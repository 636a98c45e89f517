// The sealed records of a meter or a participant, and the way in for a record of who has no MQTT.

import { Type } from "@sinclair/typebox";
import { PLAIN_MAX, SEQ_MAX } from "../../src/wire/bounds.js";
import { OPERATION_BYTES_MAX } from "../../src/wire/operation.js";
import { id, nothing, seq, service } from "./fields.js";
import type { RouteShape } from "./shape.js";

/** More of them are asked for from behind the last that came. */
export const RECORDS_PER_ANSWER_MAX = 1_000;

/** A sequence of rows (record-rows.ts), in the order of their numbers. */
export const sealedRecords = {
  method: "GET",
  path: "/records/:service/:meter",
  parameters: Type.Object({ service, meter: id }),
  query: Type.Object({
    from: Type.Integer({ minimum: 0, maximum: SEQ_MAX, default: 0 }),
    limit: Type.Integer({ minimum: 0, maximum: PLAIN_MAX, default: 100 }),
  }),
  answer: { type: "application/cbor-seq" },
  statuses: [200],
  refusals: ["malformed", "damaged"],
  limits: "costly",
  access: "chain",
} as const satisfies RouteShape;

export const submitRecord = {
  method: "POST",
  path: "/records",
  parameters: nothing,
  query: nothing,
  body: { type: "application/cose", bytes_max: OPERATION_BYTES_MAX, what: "the record as it was signed" },
  answer: {
    type: "application/json",
    /** `receipt` is the path that its receipt is asked for by */
    schema: Type.Object({ service, meter: id, seq, receipt: Type.String() }),
  },
  statuses: [202],
  refusals: ["malformed", "not-taken"],
  limits: "plain",
  access: "holder",
} as const satisfies RouteShape;

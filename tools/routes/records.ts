// The way in for a record of who has no MQTT, a gateway or a participant.

import { Type } from "@sinclair/typebox";
import { OPERATION_BYTES_MAX } from "../../src/wire/operation.js";
import { id, nothing, seq, service } from "./fields.js";
import type { RouteShape } from "./shape.js";

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

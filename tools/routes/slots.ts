// The rows of a closed slot.

import { Type } from "@sinclair/typebox";
import { TIME_S_MAX } from "../../src/wire/bounds.js";
import { nothing, service } from "./fields.js";
import type { RouteShape } from "./shape.js";

/** Of some hundred thousand points. */
export const SLOT_ROWS_BYTES_MAX = 16_777_216;

export const slot = {
  method: "GET",
  path: "/chains/:service/slots/:start",
  parameters: Type.Object({ service, start: Type.Integer({ minimum: 0, maximum: TIME_S_MAX }) }),
  query: nothing,
  answer: { type: "application/cbor", bytes_max: SLOT_ROWS_BYTES_MAX },
  statuses: [200],
  refusals: ["malformed", "unknown-slot", "damaged"],
  limits: "plain",
  access: "chain",
} as const satisfies RouteShape;

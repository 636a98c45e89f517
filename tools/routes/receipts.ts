// The receipt of a record that is sealed.

import { Type } from "@sinclair/typebox";
import { RECEIPT_BYTES_MAX } from "../../src/wire/receipt.js";
import { id, nothing, seq, service } from "./fields.js";
import type { RouteShape } from "./shape.js";

export const receipt = {
  method: "GET",
  path: "/receipts/:service/:meter/:seq",
  parameters: Type.Object({ service, meter: id, seq }),
  query: nothing,
  answer: { type: "application/cbor", bytes_max: RECEIPT_BYTES_MAX },
  statuses: [200],
  refusals: ["malformed", "waiting", "unknown-record", "damaged"],
  limits: "costly",
  access: "public",
} as const satisfies RouteShape;

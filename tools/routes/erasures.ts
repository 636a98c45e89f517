// What a node says it has erased of a meter: its signed statements.

import { Type } from "@sinclair/typebox";
import { id, nothing, service } from "./fields.js";
import type { RouteShape } from "./shape.js";

/** A sequence of statements (PROTOCOL.md, section 31), by the first of their days. */
export const erased = {
  method: "GET",
  path: "/chains/:service/erasures/:meter",
  parameters: Type.Object({ service, meter: id }),
  query: nothing,
  answer: { type: "application/cbor-seq" },
  statuses: [200],
  refusals: ["malformed", "damaged"],
  limits: "plain",
  access: "holder",
} as const satisfies RouteShape;

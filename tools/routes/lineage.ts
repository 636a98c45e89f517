// What leads to a chain's members: PROTOCOL.md, section 14.

import { Type } from "@sinclair/typebox";
import { nothing, service } from "./fields.js";
import type { RouteShape } from "./shape.js";

export const lineage = {
  method: "GET",
  path: "/chains/:service/lineage",
  parameters: Type.Object({ service }),
  query: nothing,
  answer: { type: "application/cbor-seq" },
  statuses: [200],
  refusals: ["malformed", "damaged"],
  limits: "plain",
  access: "public",
} as const satisfies RouteShape;

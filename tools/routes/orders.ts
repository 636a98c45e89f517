// The authority's orders: those that are sealed, and the way in for the next one.

import { Type } from "@sinclair/typebox";
import { ORDER_NUMBER_MAX } from "../../src/wire/bounds.js";
import { ORDER_WITH_SOURCE_BYTES_MAX } from "../../src/wire/contract-order.js";
import { nothing, orderNumber } from "./fields.js";
import type { RouteShape } from "./shape.js";

/** A sequence of [contracts height, order]. */
export const orders = {
  method: "GET",
  path: "/orders",
  parameters: nothing,
  query: Type.Object({ from: Type.Integer({ minimum: 1, maximum: ORDER_NUMBER_MAX, default: 1 }) }),
  answer: { type: "application/cbor-seq" },
  statuses: [200],
  refusals: ["malformed", "damaged"],
  limits: "plain",
  access: "public",
} as const satisfies RouteShape;

export const submitOrder = {
  method: "POST",
  path: "/orders",
  parameters: nothing,
  query: nothing,
  body: {
    type: "application/cose",
    bytes_max: ORDER_WITH_SOURCE_BYTES_MAX,
    what: "the order as it was signed, or with the source that it names",
  },
  answer: {
    type: "application/json",
    schema: Type.Object({
      number: orderNumber,
      /** names of the members that a node has passed it on to, which is none itself */
      passedOn: Type.Optional(Type.Array(Type.String())),
    }),
  },
  statuses: [202],
  refusals: ["malformed", "refused", "unreachable"],
  limits: "order",
  access: "public",
} as const satisfies RouteShape;

// What a shared broker asks of a node: whether a client may connect, and may use a topic.

import { Type } from "@sinclair/typebox";
import { nothing } from "./fields.js";
import type { RouteShape } from "./shape.js";

const HOOK_BYTES_MAX = 65_536;

/** EMQX and VerneMQ. */
export const brokerHook = {
  method: "POST",
  path: "/mqtt/auth",
  parameters: nothing,
  query: nothing,
  body: { type: "application/json", bytes_max: HOOK_BYTES_MAX, what: "the broker's question" },
  answer: { type: "application/json", schema: Type.Unknown() },
  statuses: [200],
  refusals: [],
  limits: "plain",
  access: "public",
} as const satisfies RouteShape;

/** NanoMQ and the mosquitto plugin, which go by the status; the answer says whether it is a node. */
export const brokerForm = {
  method: "POST",
  path: "/mqtt/auth/form",
  parameters: nothing,
  query: nothing,
  body: { type: "application/x-www-form-urlencoded", bytes_max: HOOK_BYTES_MAX, what: "the broker's question" },
  answer: {
    type: "application/json",
    schema: Type.Object({ is: Type.Union([Type.Literal("node"), Type.Literal("holder"), Type.Literal("stranger")]) }),
  },
  statuses: [200],
  refusals: ["unauthorized"],
  limits: "plain",
  access: "public",
} as const satisfies RouteShape;

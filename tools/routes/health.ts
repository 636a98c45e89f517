// A node's verdict on itself, in the form of draft-inadarei-api-health-check-06, section 4, with what it has of the chains.

import { type Static, Type } from "@sinclair/typebox";
import { ChainState } from "./chains.js";
import { count, nothing, service } from "./fields.js";
import type { RouteShape } from "./shape.js";

const Finding = Type.Object({
  /** the chain's name, of a check that is a chain's */
  componentId: Type.Optional(Type.String()),
  service: Type.Optional(service),
  status: Type.Union([Type.Literal("warn"), Type.Literal("fail")]),
  output: Type.String(),
});

export const HealthAnswer = Type.Object({
  status: Type.Union([Type.Literal("pass"), Type.Literal("warn"), Type.Literal("fail")]),
  /** those that do not pass */
  checks: Type.Record(Type.String(), Type.Array(Finding)),
  /** version of Gridseal that the node runs */
  releaseId: Type.Optional(Type.String()),
  node: Type.String(),
  network: Type.String(),
  /** of a test network */
  isTest: Type.Optional(Type.Literal(true)),
  /** nodes that are connected */
  peers: count,
  chains: Type.Array(ChainState),
});
export type HealthAnswer = Static<typeof HealthAnswer>;

export const health = {
  method: "GET",
  path: "/health",
  parameters: nothing,
  query: nothing,
  answer: { type: "application/health+json", schema: HealthAnswer },
  statuses: [200, 503],
  refusals: [],
  limits: "always",
  access: "public",
} as const satisfies RouteShape;

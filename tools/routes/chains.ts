// What a node, an export or a store says of the chains that it has.

import { type Static, Type } from "@sinclair/typebox";
import { count, counter, hash, height, nothing, service, time_ms } from "./fields.js";
import type { RouteShape } from "./shape.js";

const summary = {
  service,
  name: Type.String(),
  height,
  /** of the newest block */
  header: hash,
  records: count,
  violations: counter,
  /** UTC, of the newest block; null where there is none */
  time_ms: Type.Union([time_ms, Type.Null()]),
};

/** What is known of a chain without auditing it. */
export const ChainSummary = Type.Readonly(Type.Object(summary));
export type ChainSummary = Readonly<Static<typeof ChainSummary>>;

/** What a node knows beside: how many records of its meters are not sealed, in temporary blocks or not. */
export const ChainState = Type.Object({ ...summary, pending: count });
export type ChainState = Readonly<Static<typeof ChainState>>;

export const chains = {
  method: "GET",
  path: "/chains",
  parameters: nothing,
  query: nothing,
  answer: { type: "application/json", schema: Type.Array(ChainState) },
  statuses: [200],
  refusals: [],
  limits: "plain",
  access: "public",
} as const satisfies RouteShape;

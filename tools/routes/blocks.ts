// The blocks of a chain: a range of them, or one.

import { Type } from "@sinclair/typebox";
import { BLOCK_BYTES_MAX } from "../../src/wire/block.js";
import { HEIGHT_MAX, PLAIN_MAX } from "../../src/wire/bounds.js";
import { height, nothing, service } from "./fields.js";
import type { RouteShape } from "./shape.js";

/** More of them are asked for from behind the last that came. */
export const BLOCKS_PER_ANSWER_MAX = 1_000;

export const blocks = {
  method: "GET",
  path: "/chains/:service/blocks",
  parameters: Type.Object({ service }),
  query: Type.Object({
    from: Type.Integer({ minimum: 1, maximum: HEIGHT_MAX, default: 1 }),
    limit: Type.Integer({ minimum: 0, maximum: PLAIN_MAX, default: 100 }),
  }),
  answer: { type: "application/cbor-seq" },
  statuses: [200],
  refusals: ["malformed", "pruned", "damaged"],
  limits: "plain",
  access: "chain",
} as const satisfies RouteShape;

export const block = {
  method: "GET",
  path: "/chains/:service/blocks/:height",
  parameters: Type.Object({ service, height }),
  query: nothing,
  answer: { type: "application/cbor", bytes_max: BLOCK_BYTES_MAX },
  statuses: [200],
  refusals: ["unknown-block", "pruned", "damaged"],
  limits: "plain",
  access: "chain",
} as const satisfies RouteShape;

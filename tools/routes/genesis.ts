// The genesis, as the authority signed it.

import { GENESIS_BYTES_MAX } from "../../src/wire/genesis.js";
import { nothing } from "./fields.js";
import type { RouteShape } from "./shape.js";

export const genesis = {
  method: "GET",
  path: "/genesis",
  parameters: nothing,
  query: nothing,
  answer: { type: "application/cbor", bytes_max: GENESIS_BYTES_MAX },
  statuses: [200],
  refusals: [],
  limits: "plain",
  access: "public",
} as const satisfies RouteShape;

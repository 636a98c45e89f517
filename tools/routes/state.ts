// What a chain's contracts remember after its newest sealed block: entries of a contract, and the proof of one.

import { type Static, Type } from "@sinclair/typebox";
import { STATE_PROOF_BYTES_MAX } from "../../src/wire/receipt.js";
import { hash, height, service } from "./fields.js";
import type { RouteShape } from "./shape.js";

/** The longest key of a contract. */
const KEY_MAX = 256;

const contract = Type.String({
  pattern: "^[a-z][a-z0-9-]{0,31}$",
  description: "a contract's name: 1 to 32 of a-z, 0-9 and -, a letter first",
});
const key = Type.String({ minLength: 1, maxLength: KEY_MAX, description: `a key of 1 to ${KEY_MAX} characters` });

export const StateAnswer = Type.Object({
  /** of the block after which it is this; 0 before the first one */
  height,
  /** that leaf 0 of the block commits to */
  stateRoot: hash,
  /** an integer beyond 2^53 is { "integer": "..." } */
  entries: Type.Array(Type.Object({ key: Type.String(), value: Type.Unknown() })),
  /** there are more behind the last key */
  hasMore: Type.Boolean(),
});
export type StateAnswer = Readonly<Static<typeof StateAnswer>>;

export const state = {
  method: "GET",
  path: "/chains/:service/state/:contract",
  parameters: Type.Object({ service, contract }),
  query: Type.Object({
    prefix: Type.Optional(Type.String({ maxLength: KEY_MAX, description: `at most ${KEY_MAX} characters` })),
    after: Type.Optional(key),
    limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
  }),
  answer: { type: "application/json", schema: StateAnswer },
  statuses: [200],
  refusals: ["malformed", "damaged"],
  limits: "costly",
  access: "chain",
} as const satisfies RouteShape;

export const stateProof = {
  method: "GET",
  path: "/chains/:service/state/:contract/proof",
  parameters: Type.Object({ service, contract }),
  query: Type.Object({ key }),
  answer: { type: "application/cbor", bytes_max: STATE_PROOF_BYTES_MAX },
  statuses: [200],
  refusals: ["malformed", "unknown-block", "damaged"],
  limits: "costly",
  access: "chain",
} as const satisfies RouteShape;

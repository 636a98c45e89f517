// GET /chains/<service>/state/<contract>, what a contract remembers, and .../proof, the proof of one key.

import { toHex } from "../../../../src/wire/bytes.js";
import { EMPTY_STATE } from "../../../ledger/state-map.js";
import { state, stateProof } from "../../../routes/state.js";
import { stateEntries, stateProofOf } from "../../chain/contract-state.js";
import { treeSoon } from "../../store/block-trees.js";
import type { Store } from "../../store/store.js";
import { type Route, refused, route } from "../route.js";

export function stateRoute(store: Store): Route {
  return route(state, ({ parameters: { service: chain, contract }, query: { prefix = "", after, limit } }) => {
    const { head, entries, hasMore } = stateEntries(store, { chain, contract, prefix, after, limit });
    const value = {
      height: head?.height ?? 0,
      stateRoot: toHex(head?.stateRoot ?? EMPTY_STATE),
      entries: [...entries],
      hasMore,
    };
    return { type: "value", value };
  });
}

export function stateProofRoute(store: Store, network: string): Route {
  return route(stateProof, async ({ parameters: { service: chain, contract }, query: { key } }) => {
    const bytes = await stateProofOf(store, network, { chain, contract, key }, (stored) => treeSoon(() => stored));
    if (bytes !== undefined) return { type: "sent", bytes };
    return refused("unknown-block", `Chain ${chain} has no block here yet.`);
  });
}

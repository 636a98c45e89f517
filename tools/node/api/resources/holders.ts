// GET /chains/<service>/holders: who signs records on the chain, with their credentials, in the order of their ids.

import { fromHex } from "../../../../src/wire/bytes.js";
import { encodeHolderRow, holders } from "../../../routes/holders.js";
import { credentials } from "../../chain/tables/credentials.js";
import { meters } from "../../chain/tables/states.js";
import { chainRange, idIn, idKey } from "../../store/keys.js";
import type { Store } from "../../store/store.js";
import { type Route, route } from "../route.js";

export function holdersRoute(store: Store): Route {
  return route(holders, ({ parameters: { service }, query: { from, limit } }) => ({
    type: "long",
    items: rowsFrom(store, service, { from: fromHex(from)!, limit }),
  }));
}

function* rowsFrom(
  store: Store,
  service: number,
  { from, limit }: { readonly from: Uint8Array; readonly limit: number },
): Generator<Uint8Array, void> {
  const range = { ...chainRange(service), start: idKey(service, from), limit };
  for (const { key, row: credential } of store.range(credentials, range)) {
    const kid = idIn(key);
    const state = store.get(meters, idKey(service, kid));
    if (state === undefined) continue; // it has shown itself, and none of its records is sealed
    const missing = state.gaps.reduce((sum, [first, last]) => sum + last - first + 1, 0);
    yield encodeHolderRow({ kid, high: state.high, missing, credential });
  }
}

// GET /chains/<service>/holders: who signs records on the chain, with their credentials, in the order of their ids.

import { fromHex } from "../../../../src/wire/bytes.js";
import { encodeHolderRow, holders } from "../../../routes/holders.js";
import { sealedHoldersOf } from "../../chain/sealed-holders.js";
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
  asked: { readonly from: Uint8Array; readonly limit: number },
): Generator<Uint8Array, void> {
  for (const holder of sealedHoldersOf(store, service, asked)) yield encodeHolderRow(holder);
}

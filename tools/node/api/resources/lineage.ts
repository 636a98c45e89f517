// GET /chains/<service>/lineage: what leads to the chain's members.

import { lineage } from "../../../routes/lineage.js";
import { lineageOf } from "../../chain/tables/lineage.js";
import type { Store } from "../../store/store.js";
import { type Route, route } from "../route.js";

export function lineageRoute(store: Store): Route {
  return route(lineage, ({ parameters: { service } }) => ({
    type: "long",
    items: [Buffer.concat(lineageOf(store, service))].values(),
  }));
}

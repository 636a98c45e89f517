// GET /genesis, as the authority signed it.

import { genesis } from "../../../routes/genesis.js";
import { type Route, route } from "../route.js";

export function genesisRoute(bytes: Uint8Array): Route {
  return route(genesis, () => ({ type: "sent", bytes }));
}

// GET /chains: how far each chain is at this node.

import { type ChainState, chains } from "../../../routes/chains.js";
import { summaryOf } from "../../chain/summary.js";
import type { ApiPorts } from "../ports.js";
import { type Route, route } from "../route.js";

type ChainPorts = Pick<ApiPorts, "chains" | "genesis">;

export function chainsRoute(ports: ChainPorts): Route {
  return route(chains, () => ({ type: "value", value: chainStates(ports) }));
}

export function chainStates({ chains: chainsHere, genesis }: ChainPorts): ChainState[] {
  return chainsHere().map(({ head, pending, ...chain }) => ({ ...summaryOf(chain, head, genesis.hash), pending }));
}

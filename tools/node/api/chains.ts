// GET /chains: how far each chain is at this node.

import { toHex } from "../../../src/wire/bytes.js";
import { type ChainState, chains } from "../../routes/chains.js";
import type { ApiPorts } from "./ports.js";
import { type Route, route } from "./route.js";

export function chainsRoute(ports: Pick<ApiPorts, "chains">): Route {
  return route(chains, () => ({ type: "value", value: chainStates(ports) }));
}

export function chainStates(ports: Pick<ApiPorts, "chains">): ChainState[] {
  return ports.chains().map(({ service, name, head, pending }) => ({
    service,
    name,
    height: head.height,
    header: toHex(head.headerHash),
    records: head.records,
    violations: head.counter,
    time_ms: head.time_ms,
    pending,
  }));
}

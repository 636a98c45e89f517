// GET /health: the node's verdict on itself. It is answered whoever asks; who asks too much has to connect again each time.

import { packageVersion } from "../../../files/package-version.js";
import { type HealthAnswer, health } from "../../../routes/health.js";
import type { Problem } from "../../watch/health.js";
import type { Rates } from "../gate.js";
import type { ApiPorts } from "../ports.js";
import { type Route, route } from "../route.js";
import { chainStates } from "./chains.js";

const releaseId = packageVersion();
/** Who asks too much gets the health of a moment ago. */
const KEPT_MS = 1_000;

interface Kept {
  readonly bytes: Uint8Array;
  readonly status: number;
  readonly since_ms: number;
}

export function healthRoute(ports: ApiPorts, rates: Rates): Route {
  let kept: Kept | undefined;
  return route(health, ({ group }) => {
    const isSpent = rates.wait_ms(group) > 0 || rates.isSpent;
    if (kept === undefined || !isSpent || ports.monotonic_ms() - kept.since_ms > KEPT_MS) {
      rates.charge(group, 1);
      const value = healthNow(ports);
      const status = value.status === "fail" ? 503 : 200;
      kept = { bytes: Buffer.from(JSON.stringify(value)), status, since_ms: ports.monotonic_ms() };
    }
    // Each further answer costs it a connection, which costs it more than it costs here.
    const headers = { "cache-control": "no-store", ...(isSpent && { connection: "close" }) };
    return { type: "sent", bytes: kept.bytes, status: kept.status, headers };
  });
}

function healthNow(ports: ApiPorts): HealthAnswer {
  const { status, problems } = ports.health();
  const { name: node, genesis } = ports;
  const { network, isTest } = genesis;
  const named = { node, network, ...(isTest && { isTest }) };
  const state = { peers: ports.peersConnected(), chains: chainStates(ports) };
  return { status, releaseId, checks: checksView(problems), ...named, ...state };
}

function checksView(problems: readonly Problem[]): HealthAnswer["checks"] {
  const view: HealthAnswer["checks"] = {};
  for (const { check, status, chain, output } of problems) {
    const component = chain === undefined ? {} : { componentId: chain.name, service: chain.service };
    view[check] = [...(view[check] ?? []), { ...component, status, output }];
  }
  return view;
}

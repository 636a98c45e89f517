// What a node says of itself: health, chains, genesis, metrics.

import type { FastifyInstance } from "fastify";
import { toHex } from "../../../src/wire/bytes.js";
import type { Problem } from "../watch/health.js";
import { groupOf } from "./answering.js";
import type { Rates } from "./gate.js";
import type { ApiPorts } from "./ports.js";

/** Who asks too much gets the health of a moment ago. */
const KEPT_MS = 1_000;
const METRICS_TOKENS = 4;

export function addState(server: FastifyInstance, ports: ApiPorts, rates: Rates): void {
  server.get("/chains", () => chainsView(ports));
  const genesis = Buffer.from(ports.genesisBytes);
  server.get("/genesis", (_request, reply) => reply.type("application/cbor").send(genesis));
  server.get("/metrics", { config: { tokens: METRICS_TOKENS } }, async (_request, reply) => {
    ports.health(); // which its metrics tell too
    return reply.type(ports.metrics.registry.contentType).send(await ports.metrics.registry.metrics());
  });
  addHealth(server, ports, rates);
}

/** It is answered whoever asks; who asks too much has to connect again each time. */
function addHealth(server: FastifyInstance, ports: ApiPorts, rates: Rates): void {
  let kept: { readonly text: string; readonly code: number; readonly since_ms: number } | undefined;
  server.get("/health", (request, reply) => {
    const group = groupOf(request);
    const isSpent = rates.wait_ms(group) > 0 || rates.isSpent;
    if (kept === undefined || !isSpent || ports.monotonic_ms() - kept.since_ms > KEPT_MS) {
      rates.charge(group, 1);
      const { status, problems } = ports.health();
      const state = { node: ports.name, network: ports.genesis.network, peers: ports.peersConnected() };
      const body = { status, checks: checksView(problems), ...state, chains: chainsView(ports) };
      kept = { text: JSON.stringify(body), code: status === "fail" ? 503 : 200, since_ms: ports.monotonic_ms() };
    }
    // Each further answer costs it a connection, which costs it more than it costs here.
    if (isSpent) reply.header("connection", "close");
    reply.code(kept.code).header("cache-control", "no-store");
    // Without the parameter that fastify adds: the draft defines none.
    return reply.header("content-type", "application/health+json").send(Buffer.from(kept.text));
  });
}

function chainsView(ports: ApiPorts) {
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

/** The checks that do not pass, in the form of draft-inadarei-api-health-check-06, section 4. */
function checksView(problems: readonly Problem[]) {
  const view: { [check: string]: object[] } = {};
  for (const { check, status, chain, output } of problems) {
    const component = chain === undefined ? {} : { componentId: chain.name, service: chain.service };
    view[check] = [...(view[check] ?? []), { ...component, status, output }];
  }
  return view;
}

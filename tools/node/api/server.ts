// The node's HTTP side, for operators, auditors and the command line: health, metrics, blocks, receipts and the broadcast of sealed
// blocks. What else it answers, the node's parts bring.

import type { Socket } from "node:net";
import fastify, { type FastifyInstance } from "fastify";
import { GridsealError } from "../../errors.js";
import type { BlockEvent } from "../../routes/events.js";
import { shapes } from "../../routes/routes.js";
import type { NodeConfiguration } from "../configuration.js";
import { addressGroup, LOOPBACK } from "../limits/addresses.js";
import { type Answers, createAnswers } from "./answers.js";
import { createByteBudget } from "./byte-budget.js";
import { createEventLog } from "./events/event-log.js";
import { createEvents } from "./events/events.js";
import { addGate, createRates, type Hosts, LOOPBACK_SHARE, type Rates } from "./gate.js";
import { createHttpServer } from "./http-server.js";
import { createPlaces } from "./places.js";
import type { ApiPorts } from "./ports.js";
import { groupOf, refuse } from "./refusing.js";
import { blockRoute, blocksRoute } from "./resources/blocks.js";
import { chainsRoute } from "./resources/chains.js";
import { dayRoute } from "./resources/days.js";
import { explorerFileRoute, explorerPageRoute } from "./resources/explorer.js";
import { genesisRoute } from "./resources/genesis.js";
import { healthRoute } from "./resources/health.js";
import { holdersRoute } from "./resources/holders.js";
import { lineageRoute } from "./resources/lineage.js";
import { metricsRoute } from "./resources/metrics.js";
import { receiptRoute } from "./resources/receipts.js";
import { sealedRecordsRoute } from "./resources/records.js";
import { slotRoute } from "./resources/slots.js";
import { stateProofRoute, stateRoute } from "./resources/state.js";
import type { Route } from "./route.js";
import { addRoutes, assertListed } from "./routing.js";
import { createTurns } from "./turns.js";

/** Connections at one time, and beyond them for the node's health alone. */
const CONNECTIONS_MAX = 512;
const RESERVE_MAX = 16;
/** Of all answers on their way, and of those to one address: the longest block fits. */
const ANSWERS_BYTES_MAX = 50_331_648;
const ADDRESS_ANSWERS_BYTES_MAX = 25_165_824;
/** Of the loop's time at a time, for reading answers. */
const TURN_MS = 2;
const LOOK_EVERY_MS = 1_000;
/** What long answers cost of their address's rate. */
const ITEMS_A_TOKEN = 50;
const BYTES_A_TOKEN = 65_536;

export interface Api {
  /** Resolves with the port. */
  listen(): Promise<number>;
  /** Tells the subscribers of a block that is in the store. */
  broadcast(event: BlockEvent): void;
  close(): Promise<void>;
}

export function createApi(terms: NodeConfiguration["api"], ports: ApiPorts): Api {
  const { metrics, monotonic_ms } = ports;
  const refused = (reason: string) => metrics.apiRefused.inc({ reason });
  const ofAddress = (group: string) => terms.addressConnections_max * (group === LOOPBACK ? LOOPBACK_SHARE : 1);
  const places = createPlaces<Socket>({
    places_max: CONNECTIONS_MAX,
    reserve_max: RESERVE_MAX,
    ofAddress,
  });
  const rates = createRates(terms.addressRequests_s, monotonic_ms);
  const turns = createTurns(TURN_MS, { monotonic_ms, afterOthers: setImmediate });
  const budget = createByteBudget(ANSWERS_BYTES_MAX, ADDRESS_ANSWERS_BYTES_MAX);
  const onSlow = () => refused("slow");
  const onBroken = (error: unknown) => void noteDamage(ports, error);
  const log = createEventLog({
    store: ports.store,
    heads: () => new Map(ports.chains().map(({ service, head }) => [service, head.height])),
  });
  const events = createEvents({
    ...{ log, turns, budget, rates, monotonic_ms, onSlow, onBroken },
    ofAddress: (group) => Math.ceil(ofAddress(group) / 2),
  });
  const routes = [...routesOf(ports, rates), events.route];
  assertListed(routes, shapes);
  const bodyBytes_max = Math.max(...routes.map(({ shape }) => shape.body?.bytes_max ?? 0));
  const server = fastify({
    logger: false,
    bodyLimit: 1_024,
    forceCloseConnections: true,
    // What is no URL comes past every hook: who sends it has to connect again.
    frameworkErrors: (error, _request, reply) => {
      refuse(reply.header("connection", "close"), "malformed", error.message, error.statusCode ?? 400);
    },
    serverFactory: (listener) => createHttpServer(listener, places, { bodyBytes_max, onClosed: refused }),
  });
  const answers = createAnswers({
    ...{ turns, budget, monotonic_ms, onSlow, onBroken },
    onRead: (group, { items, bytes }) => rates.charge(group, items / ITEMS_A_TOKEN + bytes.length / BYTES_A_TOKEN),
  });
  addErrors(server, ports);
  addGate(server, { hosts: hostsOf(terms) }, { places, budget, rates, onRefused: refused });
  countAnswers(server, answers);
  addRoutes(server, routes, { answers, admission: ports.admission });
  const looking = setInterval(() => {
    answers.closeSlow();
    events.look();
  }, LOOK_EVERY_MS).unref();
  return {
    async listen() {
      await server.listen({ host: terms.host, port: terms.port });
      const address = server.server.address();
      return typeof address === "object" && address !== null ? address.port : terms.port;
    },
    broadcast: events.onSealed,
    async close() {
      clearInterval(looking);
      events.close();
      await server.close();
    },
  };
}

function routesOf(ports: ApiPorts, rates: Rates): readonly Route[] {
  const { store } = ports;
  return [
    explorerPageRoute(),
    explorerFileRoute(),
    healthRoute(ports, rates),
    metricsRoute(ports),
    genesisRoute(ports.genesisBytes),
    chainsRoute(ports),
    blocksRoute(store),
    blockRoute(store),
    lineageRoute(store),
    holdersRoute(store),
    stateRoute(store),
    stateProofRoute(store, ports.genesis.network),
    receiptRoute(ports),
    sealedRecordsRoute(store),
    slotRoute(store),
    dayRoute(store),
    ...ports.routes,
  ];
}

/** What the API answers to: where all addresses can reach it, any Host, or the names that are stated and any address. */
function hostsOf({ host, hosts }: NodeConfiguration["api"]): Hosts | undefined {
  const isOwn = host === "localhost" || addressGroup(host) === LOOPBACK;
  return isOwn || hosts.length > 0 ? { names: [host, ...hosts], addresses: !isOwn } : undefined;
}

function addErrors(server: FastifyInstance, ports: ApiPorts): void {
  server.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500;
    if (noteDamage(ports, error)) return refuse(reply, "damaged", "What you ask for is damaged at this node.");
    if (status < 500) return refuse(reply, "malformed", error.message, status);
    // What was thrown may name what is not for strangers: it goes to the node's log alone.
    ports.onDefect(request.routeOptions.url ?? "an unknown route", error);
    return refuse(reply, "failed", "The node failed at this request: a defect. Its log says more.");
  });
}

function noteDamage(ports: ApiPorts, error: unknown): boolean {
  const isDamage = error instanceof GridsealError && error.code === "STORE_CORRUPT";
  if (isDamage) ports.onDamage(error);
  return isDamage;
}

/** Answers that are sent at once count as well, until they have gone. */
function countAnswers(server: FastifyInstance, answers: Answers): void {
  server.addHook("onSend", async (request, reply, payload) => {
    const isBytes = typeof payload === "string" || payload instanceof Uint8Array;
    answers.sent(reply.raw, groupOf(request), isBytes ? Buffer.byteLength(payload) : 0);
    return payload;
  });
}

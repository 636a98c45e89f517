// The node's HTTP side, for operators, auditors and the command line: health, metrics, blocks, receipts and the broadcast of sealed
// blocks. Beside reading it takes orders, which are the authority's whoever brings them.

import type { Socket } from "node:net";
import fastify, { type FastifyInstance } from "fastify";
import { SEQ_MAX, SERVICE_MAX } from "../../../src/wire/bounds.js";
import { idFromText } from "../../../src/wire/key.js";
import { ORDER_BYTES_MAX } from "../../../src/wire/order.js";
import { GridsealError } from "../../errors.js";
import { addressGroup, LOOPBACK } from "../address-limits.js";
import type { NodeConfiguration } from "../configuration.js";
import { groupOf, number, refuse } from "./answering.js";
import { type Answers, createAnswers } from "./answers.js";
import { addBlocks, addSealedOrders } from "./block-routes.js";
import { createByteBudget } from "./byte-budget.js";
import { addEvents } from "./events.js";
import { addGate, createRates, type Hosts, LOOPBACK_SHARE } from "./gate.js";
import { createHttpServer } from "./http-server.js";
import { createPlaces } from "./places.js";
import type { ApiPorts } from "./ports.js";
import { addState } from "./state-routes.js";
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
/** What requests cost of their address's rate. */
const RECEIPT_TOKENS = 4;
const ORDER_TOKENS = 10;
const ITEMS_A_TOKEN = 50;
const BYTES_A_TOKEN = 65_536;

export interface Api {
  /** Resolves with the port. */
  listen(): Promise<number>;
  /** Tells the subscribers. */
  broadcast(event: object): void;
  close(): Promise<void>;
}

export function createApi(terms: NodeConfiguration["api"], ports: ApiPorts): Api {
  const { metrics, store, monotonic_ms } = ports;
  const refused = (reason: string) => metrics.apiRefused.inc({ reason });
  const ofAddress = (group: string) => terms.addressConnections_max * (group === LOOPBACK ? LOOPBACK_SHARE : 1);
  const places = createPlaces<Socket>({
    places_max: CONNECTIONS_MAX,
    reserve_max: RESERVE_MAX,
    ofAddress,
  });
  const server = fastify({
    logger: false,
    bodyLimit: 1_024,
    forceCloseConnections: true,
    // What is no URL comes past every hook: who sends it has to connect again.
    frameworkErrors: (error, _request, reply) => {
      refuse(reply.header("connection", "close"), error.statusCode ?? 400, "malformed", error.message);
    },
    serverFactory: (listener) => createHttpServer(listener, places, refused),
  });
  const rates = createRates(terms.addressRequests_s, monotonic_ms);
  const budget = createByteBudget(ANSWERS_BYTES_MAX, ADDRESS_ANSWERS_BYTES_MAX);
  const answers = createAnswers({
    turns: createTurns(TURN_MS, { monotonic_ms, afterOthers: setImmediate }),
    budget,
    monotonic_ms,
    onRead: (group, { items, bytes }) => rates.charge(group, items / ITEMS_A_TOKEN + bytes.length / BYTES_A_TOKEN),
    onSlow: () => refused("slow"),
    onBroken: (error) => noteDamage(ports, error),
  });
  addErrors(server, ports);
  addGate(server, { hosts: hostsOf(terms) }, { places, budget, rates, onRefused: refused });
  countAnswers(server, answers);
  addState(server, ports, rates);
  addBlocks(server, store, answers);
  addReceipts(server, ports);
  addSealedOrders(server, store, answers);
  addOrders(server, ports);
  const events = addEvents(server, (group) => Math.ceil(ofAddress(group) / 2));
  const looking = setInterval(() => answers.closeSlow(), LOOK_EVERY_MS).unref();
  return {
    async listen() {
      await server.listen({ host: terms.host, port: terms.port });
      const address = server.server.address();
      return typeof address === "object" && address !== null ? address.port : terms.port;
    },
    broadcast: events.broadcast,
    async close() {
      clearInterval(looking);
      events.close();
      await server.close();
    },
  };
}

/** What the API answers to: where all addresses can reach it, any Host, or the names that are stated and any address. */
function hostsOf({ host, hosts }: NodeConfiguration["api"]): Hosts | undefined {
  const isOwn = host === "localhost" || addressGroup(host) === LOOPBACK;
  return isOwn || hosts.length > 0 ? { names: [host, ...hosts], addresses: !isOwn } : undefined;
}

function addErrors(server: FastifyInstance, ports: ApiPorts): void {
  server.setNotFoundHandler((_request, reply) =>
    refuse(reply, 404, "unknown-path", "See docs/api.md for the paths of this API."),
  );
  server.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    if (!noteDamage(ports, error)) return refuse(reply, error.statusCode ?? 500, "failed", error.message);
    return refuse(reply, 500, "damaged", "What you ask for is damaged at this node. Ask another node of the chain.");
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

function addReceipts(server: FastifyInstance, ports: ApiPorts): void {
  server.get<{ Params: { service: string; meter: string; seq: string } }>(
    "/receipts/:service/:meter/:seq",
    { config: { tokens: RECEIPT_TOKENS } },
    async (request, reply) => {
      const service = number(request.params.service, SERVICE_MAX);
      const kid = idFromText(request.params.meter);
      const seq = number(request.params.seq, SEQ_MAX);
      if (service === undefined || kid === undefined || seq === undefined) {
        return refuse(reply, 400, "malformed", "The path is /receipts/<service>/<meter, 16 hex digits>/<seq>.");
      }
      const receipt = await ports.receipts.findSoon(service, kid, seq);
      if (receipt !== undefined) return reply.type("application/cbor").send(Buffer.from(receipt));
      if (ports.isWaiting(service, kid, seq)) return refuse(reply, 202, "waiting", "The record waits to be sealed.");
      return refuse(reply, 404, "unknown-record", "No such record is sealed on this node.");
    },
  );
}

/** The way in for the authority's next order. */
function addOrders(server: FastifyInstance, ports: ApiPorts): void {
  server.addContentTypeParser(
    "application/cose",
    { parseAs: "buffer", bodyLimit: ORDER_BYTES_MAX },
    (_request, body, done) => done(null, body),
  );
  server.post("/orders", { config: { tokens: ORDER_TOKENS } }, async (request, reply) => {
    if (!(request.body instanceof Uint8Array)) {
      return refuse(reply, 415, "malformed", "Send the order as it was signed, as application/cose.");
    }
    const answer = await ports.submitOrder(Uint8Array.from(request.body));
    if (answer.type === "taken") return reply.code(202).send({ number: answer.number });
    if (answer.type === "passed-on") return reply.code(202).send({ number: answer.number, passedOn: answer.to });
    if (answer.type === "unreachable") return refuse(reply, 503, "unreachable", answer.reason);
    if (answer.type === "malformed") return refuse(reply, 400, "malformed", answer.reason);
    return refuse(reply, 409, "refused", answer.reason);
  });
}

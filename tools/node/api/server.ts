// The node's HTTP side, for operators, auditors and the command line: health, metrics, blocks, receipts and the broadcast of sealed
// blocks. Beside reading it takes orders, which are the authority's whoever brings them.

import fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import { HEIGHT_MAX, ORDER_NUMBER_MAX, PLAIN_MAX, SEQ_MAX, SERVICE_MAX } from "../../../src/wire/bounds.js";
import { toHex } from "../../../src/wire/bytes.js";
import { encodeCbor } from "../../../src/wire/cbor.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import { idFromText } from "../../../src/wire/key.js";
import { ORDER_BYTES_MAX } from "../../../src/wire/order.js";
import { GridsealError } from "../../errors.js";
import type { Problem, Verdict } from "../health.js";
import type { Metrics } from "../metrics.js";
import type { OrderAnswer } from "../orders.js";
import type { Receipts } from "../receipts.js";
import type { Head } from "../store/rows.js";
import type { Store } from "../store/store.js";

const BLOCKS_PER_ANSWER_MAX = 1_000;
const BYTES_PER_ANSWER_MAX = 4_194_304;
const ORDERS_PER_ANSWER_MAX = 100;
/** Beyond these a connection is closed at once; a request has so long to arrive. */
const CONNECTIONS_MAX = 512;
const REQUEST_TIMEOUT_MS = 30_000;
/** Subscribers of sealed blocks at one time. */
const SUBSCRIBERS_MAX = 256;
/** Bytes that a subscriber may be behind before it is let go. */
const SUBSCRIBER_BEHIND_BYTES_MAX = 1_048_576;

export interface ApiPorts {
  readonly name: string;
  readonly genesis: Genesis;
  readonly genesisBytes: Uint8Array;
  readonly store: Store;
  readonly receipts: Receipts;
  readonly metrics: Metrics;
  peersConnected(): number;
  health(): Verdict;
  /** Chains that this node is a member of. */
  chains(): readonly {
    readonly service: number;
    readonly name: string;
    readonly head: Head;
    readonly pending: number;
  }[];
  /** Whether the record waits here to be sealed. */
  isWaiting(service: number, kid: Uint8Array, seq: number): boolean;
  submitOrder(bytes: Uint8Array): Promise<OrderAnswer>;
  /** What was asked for is damaged in the store. */
  onDamage(error: GridsealError): void;
}

export interface Api {
  listen(host: string, port: number): Promise<number>;
  /** Tells the subscribers. */
  broadcast(event: object): void;
  close(): Promise<void>;
}

export function createApi(ports: ApiPorts): Api {
  const server = fastify({
    logger: false,
    bodyLimit: 1_024,
    forceCloseConnections: true,
    requestTimeout: REQUEST_TIMEOUT_MS,
  });
  server.server.maxConnections = CONNECTIONS_MAX;
  const subscribers = new Set<FastifyReply>();
  server.setNotFoundHandler((_request, reply) =>
    refuse(reply, 404, "unknown-path", "See README.md for the paths of this API."),
  );
  server.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const isDamage = error instanceof GridsealError && error.code === "STORE_CORRUPT";
    if (!isDamage) return refuse(reply, error.statusCode ?? 500, "failed", error.message);
    ports.onDamage(error);
    return refuse(reply, 500, "damaged", "What you ask for is damaged at this node. Ask another node of the chain.");
  });
  addState(server, ports);
  addBlocks(server, ports);
  addReceipts(server, ports);
  addOrders(server, ports);
  server.get("/events", (_request, reply) => subscribe(subscribers, reply));
  return {
    async listen(host, port) {
      await server.listen({ host, port });
      const address = server.server.address();
      return typeof address === "object" && address !== null ? address.port : port;
    },
    broadcast(event) {
      const bytes = Buffer.from(`event: block\ndata: ${JSON.stringify(event)}\n\n`);
      for (const { raw } of subscribers) {
        if (raw.writableLength > SUBSCRIBER_BEHIND_BYTES_MAX) raw.destroy();
        else raw.write(bytes);
      }
    },
    async close() {
      for (const subscriber of subscribers) subscriber.raw.end();
      await server.close();
    },
  };
}

function addState(server: FastifyInstance, ports: ApiPorts): void {
  const chains = () =>
    ports.chains().map(({ service, name, head, pending }) => ({
      service,
      name,
      height: head.height,
      header: toHex(head.headerHash),
      records: head.records,
      violations: head.counter,
      time_ms: head.time_ms,
      pending,
    }));
  server.get("/health", (_request, reply) => {
    const { status, problems } = ports.health();
    const state = { node: ports.name, network: ports.genesis.network, peers: ports.peersConnected(), chains: chains() };
    reply.code(status === "fail" ? 503 : 200).header("cache-control", "no-store");
    // Without the parameter that fastify adds: the draft defines none.
    return reply
      .type("application/health+json")
      .serializer((body: object) => JSON.stringify(body))
      .send({ status, checks: checksView(problems), ...state });
  });
  server.get("/chains", chains);
  server.get("/genesis", (_request, reply) => reply.type("application/cbor").send(Buffer.from(ports.genesisBytes)));
  server.get("/metrics", async (_request, reply) => {
    ports.health(); // which its metrics tell too
    return reply.type(ports.metrics.registry.contentType).send(await ports.metrics.registry.metrics());
  });
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

function addBlocks(server: FastifyInstance, ports: ApiPorts): void {
  server.get<{ Params: { service: string }; Querystring: { from?: string; limit?: string } }>(
    "/chains/:service/blocks",
    (request, reply) => {
      const service = number(request.params.service, SERVICE_MAX);
      const from = number(request.query.from ?? "1", HEIGHT_MAX);
      const limit = number(request.query.limit ?? "100", PLAIN_MAX);
      if (service === undefined || from === undefined || limit === undefined || from === 0) {
        return refuse(reply, 400, "malformed", "service, from and limit are decimal numbers, from is at least 1");
      }
      if (ports.store.outline(service, from) !== undefined) return refusePruned(reply);
      const blocks: Uint8Array[] = [];
      let bytes = 0;
      for (let height = from; blocks.length < Math.min(limit, BLOCKS_PER_ANSWER_MAX); height += 1) {
        const block = ports.store.block(service, height);
        if (block === undefined || bytes > BYTES_PER_ANSWER_MAX) break;
        blocks.push(block);
        bytes += block.length;
      }
      return reply.type("application/cbor-seq").send(Buffer.concat(blocks));
    },
  );
  server.get<{ Params: { service: string } }>("/chains/:service/lineage", (request, reply) => {
    const service = number(request.params.service, SERVICE_MAX);
    if (service === undefined) return refuse(reply, 400, "malformed", "service is a decimal number");
    return reply.type("application/cbor-seq").send(Buffer.concat(ports.store.lineage(service)));
  });
  server.get<{ Params: { service: string; height: string } }>("/chains/:service/blocks/:height", (request, reply) => {
    const service = number(request.params.service, SERVICE_MAX);
    const height = number(request.params.height, HEIGHT_MAX);
    const isKnown = service !== undefined && height !== undefined;
    const block = isKnown ? ports.store.block(service, height) : undefined;
    if (isKnown && block === undefined && ports.store.outline(service, height) !== undefined)
      return refusePruned(reply);
    if (block === undefined) return refuse(reply, 404, "unknown-block", "No such block is on this node.");
    return reply.type("application/cbor").send(Buffer.from(block));
  });
}

function addReceipts(server: FastifyInstance, ports: ApiPorts): void {
  server.get<{ Params: { service: string; meter: string; seq: string } }>(
    "/receipts/:service/:meter/:seq",
    (request, reply) => {
      const service = number(request.params.service, SERVICE_MAX);
      const kid = idFromText(request.params.meter);
      const seq = number(request.params.seq, SEQ_MAX);
      if (service === undefined || kid === undefined || seq === undefined) {
        return refuse(reply, 400, "malformed", "The path is /receipts/<service>/<meter, 16 hex digits>/<seq>.");
      }
      const receipt = ports.receipts.find(service, kid, seq);
      if (receipt !== undefined) return reply.type("application/cbor").send(Buffer.from(receipt));
      if (ports.isWaiting(service, kid, seq)) return refuse(reply, 202, "waiting", "The record waits to be sealed.");
      return refuse(reply, 404, "unknown-record", "No such record is sealed on this node.");
    },
  );
}

/** Sealed orders as a CBOR sequence of [contracts height, order], and the way in for the next one. */
function addOrders(server: FastifyInstance, ports: ApiPorts): void {
  server.addContentTypeParser(
    "application/cose",
    { parseAs: "buffer", bodyLimit: ORDER_BYTES_MAX },
    (_request, body, done) => done(null, body),
  );
  server.get<{ Querystring: { from?: string } }>("/orders", (request, reply) => {
    const from = number(request.query.from ?? "1", ORDER_NUMBER_MAX);
    if (from === undefined || from === 0) {
      return refuse(reply, 400, "malformed", "from is a decimal number, at least 1");
    }
    const rows = ports.store.orders(from, ORDERS_PER_ANSWER_MAX);
    const items = rows.map(({ contractsHeight, bytes }) => encodeCbor([contractsHeight, bytes]));
    return reply.type("application/cbor-seq").send(Buffer.concat(items));
  });
  server.post("/orders", async (request, reply) => {
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

function subscribe(subscribers: Set<FastifyReply>, reply: FastifyReply): void {
  if (subscribers.size >= SUBSCRIBERS_MAX) {
    refuse(reply, 503, "busy", "Too many subscribers: try another node.");
    return;
  }
  // Pipelined behind another request: what is written would wait in memory for a stream that has no end.
  if (reply.raw.socket === null) {
    refuse(reply, 400, "pipelined", "Ask for events on a connection of their own.");
    return;
  }
  reply.hijack();
  reply.raw.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  reply.raw.write(":\n\n");
  subscribers.add(reply);
  reply.raw.on("close", () => subscribers.delete(reply));
  reply.raw.on("error", () => subscribers.delete(reply));
}

function refusePruned(reply: FastifyReply) {
  return refuse(reply, 410, "pruned", "This node has let go of the block's records: ask another one.");
}

function refuse(reply: FastifyReply, status: number, code: string, message: string) {
  return reply.code(status).send({ code, message });
}

/** A decimal number within a bound of the wire; undefined where the text is none. */
function number(text: string, max: number): number | undefined {
  return /^[0-9]{1,15}$/.test(text) && Number(text) <= max ? Number(text) : undefined;
}

// The embedded MQTT 3.1.1 broker: aedes behind the guard, on TCP or TLS. It routes nothing between clients: what they publish
// goes to the node's handlers before it is acknowledged, and what the node publishes goes straight to the meter's connection.
// What a connected client publishes goes past aedes, whose way costs more than the node's own: it reads wills alone.
// sessions.ts says who has a place, and who is the meter.

import { createServer as createTcpServer, isIPv6, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Aedes, AedesOptions, Client, PublishPacket } from "aedes";
import { idFromText } from "../../../src/wire/key.js";
import { parseTopic, type Topic } from "../../../src/wire/topics.js";
import { GridsealError, reasonOf } from "../../errors.js";
import type { Holder } from "../admission/token-judge.js";
import { addressGroup } from "../limits/addresses.js";
import { listenOn } from "../network/listen.js";
import { type GuardedConnection, guardSocket } from "./guarded-socket.js";
import {
  createTally,
  type Filter,
  type Ingest,
  type IngestCounters,
  type IngestHandlers,
  type IngestRefusal,
  parseFilter,
  publishedTopic,
} from "./ingest.js";
import { defaultGuardLimits, type GuardLimits } from "./packet-guard.js";
import { encodePuback, encodePublishHead, PACKET_ID_MAX, type Publication, readPublication } from "./packets.js";
import { RecordBroker } from "./record-broker.js";
import {
  type Admitted,
  admitClient,
  type BrokerAdmission,
  encodeRefusedConnack,
  mayPublish,
  maySubscribe,
  returnCodes,
} from "./session-admission.js";
import { createSessions, type Session, type SessionLimits } from "./sessions.js";

export interface BrokerLimits extends GuardLimits, SessionLimits {
  /** filters of one session; all are of one meter */
  readonly subscriptions_max: number;
  /** bytes that may wait to be sent to one client; what does not fit is dropped */
  readonly outbound_bytes_max: number;
}

export const defaultBrokerLimits: BrokerLimits = {
  ...defaultGuardLimits,
  connections_max: 10_000,
  address_connections_max: 1_000,
  loopback_connections_max: 10_000,
  idle_timeout_ms: 60_000,
  silence_timeout_ms: 900_000,
  sessions_of_meter_max: 8,
  strangers: { tokens_s: 1_000, tokens_max: 10_000 },
  loopback_strangers: { tokens_s: 4_000, tokens_max: 20_000 },
  subscriptions_max: 32,
  outbound_bytes_max: 262_144,
};

export interface EmbeddedBrokerOptions {
  /** the network's name, second level of every topic */
  readonly network: string;
  readonly listen: { readonly host: string; readonly port: number };
  /** PEM; where it is given the broker speaks TLS alone */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** absent where anybody may connect, and proves to be a meter by its records */
  readonly admission?: BrokerAdmission;
  readonly limits: BrokerLimits;
  readonly handlers: IngestHandlers;
}

/** Makes a node's own broker; it listens from `start` on. */
export function createEmbeddedBroker(options: EmbeddedBrokerOptions): Ingest {
  return new EmbeddedBroker(options);
}

type QualityOfService = 0 | 1;

interface Subscription {
  readonly filter: Filter;
  readonly qos: QualityOfService;
}

/** What the broker keeps of a session beside its place. */
interface Connected extends Session {
  readonly client: Client;
  readonly connection: GuardedConnection;
  readonly subscriptions: Map<string, Subscription>;
  /** who has shown a token, where tokens are asked for */
  holder: Holder | undefined;
  /** identifier of the packet that was published last */
  packetId: number;
  /** it ends where nothing is heard of it for so long; 0 where it asks for no such thing (section 3.1.2.10) */
  keepAlive_ms: number;
}

const tcpKeepAlive_ms = 30_000;
/** How often who is idle is looked for. */
const SWEEP_MS = 5_000;
/** A socket that is being closed counts for a moment. */
const CLOSING_MAX = 256;
/** Between a client's id and the number of its session. */
const SESSION_MARK = "~";

class EmbeddedBroker implements Ingest {
  readonly #options: EmbeddedBrokerOptions;
  readonly #tally = createTally();
  readonly #server: Server;
  readonly #broker: Aedes;
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Map<Client, Connected>();
  readonly #places: ReturnType<typeof createSessions<Connected>>;
  #sweep: NodeJS.Timeout | undefined;
  /** sessions that there ever were */
  #connected = 0;
  #closed = false;

  constructor(options: EmbeddedBrokerOptions) {
    this.#options = options;
    this.#places = createSessions(options.limits);
    this.#broker = new RecordBroker(this.#brokerOptions());
    this.#broker.on("clientReady", (client) => this.#serve(client));
    this.#broker.on("unsubscribe", (filters, client) => this.#unsubscribe(client, filters));
    this.#broker.on("clientError", (client, error) => this.#failed(client, error));
    this.#broker.on("connectionError", (client, error) => this.#failed(client, error));
    this.#server = createBrokerServer(options);
    this.#server.maxConnections = options.limits.connections_max + CLOSING_MAX;
    this.#server.on("drop", (from) => this.#refuse("crowded", `${from?.remoteAddress}`));
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    this.#server.on("tlsClientError", (error: Error, socket: Socket) => {
      this.#refuse("malformed", `${socket.remoteAddress}: ${reasonOf(error)}`);
      socket.destroy(); // a handshake that merely took too long is left open otherwise
    });
    this.#server.on(options.tls ? "secureConnection" : "connection", (socket: Socket) => this.#accept(socket));
  }

  async start(): Promise<{ readonly url: string }> {
    await this.#broker.listen();
    const { host } = this.#options.listen;
    const port = await listenOn(this.#server, this.#options.listen, "meters").catch(async (thrown: unknown) => {
      await this.close();
      throw thrown;
    });
    this.#server.on("error", (error) => this.#refuse("crowded", reasonOf(error)));
    this.#sweep = setInterval(() => this.#endIdle(), SWEEP_MS);
    return { url: `${this.#options.tls ? "mqtts" : "mqtt"}://${isIPv6(host) ? `[${host}]` : host}:${port}` };
  }

  /** Meters publish to this broker of whatever service. */
  serve(): void {}

  publish(topic: string, payload: Uint8Array, to?: string): boolean {
    const own = this.#ownTopic(topic);
    if (own === undefined) return false;
    if (to !== undefined) {
      const session = this.#places.find(to);
      return session !== undefined && session.meter === own.meter && this.#send(session, own, topic, payload);
    }
    let isSent = false;
    for (const session of this.#places.ofMeter(own.meter)) {
      if (this.#send(session, own, topic, payload)) isSent = true;
    }
    return isSent;
  }

  prove(client: string, meter: string): void {
    const session = this.#places.find(client);
    if (session === undefined) return;
    this.#places.prove(session, meter);
    session.connection.prove();
  }

  isProved(client: string, meter: string): boolean {
    return this.#places.find(client)?.provedMeter === meter;
  }

  addressOf(client: string): string | undefined {
    return this.#places.find(client)?.address;
  }

  #send(session: Connected, own: Topic, topic: string, payload: Uint8Array): boolean {
    const qos = qualityOf(session, own);
    if (qos === undefined) return false;
    const { connection } = session;
    if (connection.unsent_bytes + topic.length + payload.length > this.#options.limits.outbound_bytes_max) {
      this.#tally.dropped += 1;
      return false;
    }
    session.packetId = (session.packetId % PACKET_ID_MAX) + 1;
    // Past aedes, whose way takes two turns of the event loop and six writes a packet.
    connection.send(encodePublishHead(topic, qos, session.packetId, payload.length), payload);
    this.#tally.published += 1;
    return true;
  }

  hasSubscriber(topic: string): boolean {
    const own = this.#ownTopic(topic);
    if (own === undefined) return false;
    for (const session of this.#places.ofMeter(own.meter)) if (qualityOf(session, own) !== undefined) return true;
    return false;
  }

  counters(): IngestCounters {
    return { ...this.#tally, refused: { ...this.#tally.refused } };
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#sweep);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await new Promise<void>((resolve) => this.#broker.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #brokerOptions(): AedesOptions {
    const { connect_timeout_ms, packet_timeout_ms } = this.#options.limits;
    return {
      // The guard's own timeout is the first, and is counted.
      connectTimeout: 2 * connect_timeout_ms,
      drainTimeout: packet_timeout_ms,
      preConnect: (client, packet, done) => {
        // Sessions that outlive their connection would have to be kept for whoever asks: every session is a clean one.
        packet.clean = true;
        // Meters' ids are public: whoever connects under one must not end the meter's own session (against section 3.1.4-2).
        this.#connected += 1;
        packet.clientId = `${packet.clientId}${SESSION_MARK}${this.#connected}`;
        const session = this.#sessions.get(client);
        if (session !== undefined) {
          this.#places.name(session, packet.clientId);
          session.keepAlive_ms = 1_500 * (packet.keepalive ?? 0);
        }
        // aedes does not hear of everything that a client sends.
        packet.keepalive = 0;
        done(null, true);
      },
      // Who is not admitted is answered and gone: aedes ends a connection before its answer has left.
      authenticate: (client, username, password, done) => {
        void this.#admit(client, username, password).then((isAdmitted) => isAdmitted && done(null, true));
      },
      authorizePublish: (client, packet, done) => void this.#handle(client, packet, done),
      authorizeSubscribe: (client, subscription, done) => {
        // Null is answered with 0x80 (section 3.9.3).
        done(null, this.#subscribe(client, subscription) ? subscription : null);
      },
    };
  }

  async #admit(client: Client, username?: string, password?: Buffer): Promise<boolean> {
    const { admission, handlers } = this.#options;
    const session = this.#sessions.get(client);
    if (admission === undefined || session === undefined) return admission === undefined;
    const admitted = await admitClient(admission, username, password).catch((thrown: unknown): Admitted => {
      handlers.onHandlerFailure(thrown);
      return { type: "unjudged", returnCode: returnCodes.unavailable };
    });
    if (!this.#sessions.has(client)) return false; // it has left while its token was judged
    if (admitted.type === "stranger") return true;
    if (admitted.type !== "holder") {
      if (admitted.type === "refused") {
        this.#refuse(
          admitted.reason,
          `${session.address}: a client that says it is ${nameOf(username)}: ${admitted.message}`,
        );
      }
      session.connection.endBehind(encodeRefusedConnack(admitted.returnCode));
      return false;
    }
    session.holder = admitted.holder;
    this.#places.prove(session, admitted.holder.id);
    session.connection.prove();
    return true;
  }

  #accept(socket: Socket): void {
    const from = `${socket.remoteAddress}`;
    const address = addressGroup(socket.remoteAddress);
    const room = this.#places.makeRoom(address);
    if (room === "none") {
      this.#refuse("crowded", from);
      socket.destroy();
      return;
    }
    if (room !== undefined) {
      this.#places.leave(room);
      room.connection.refuse("crowded");
    }
    socket.setNoDelay(true);
    socket.setKeepAlive(true, tcpKeepAlive_ms);
    const stream = guardSocket(socket, this.#options.limits, {
      onRefused: (reason) => this.#refuse(reason, from),
      onThrottled: () => {
        this.#tally.throttled += 1;
      },
      onStrange: (packets) => this.#places.charge(address, packets, performance.now()),
    });
    this.#tally.connections += 1;
    const client = this.#broker.handle(stream);
    const session: Connected = {
      ...{
        address,
        since_ms: performance.now(),
        id: undefined,
        meter: undefined,
        provedMeter: undefined,
        isActive: false,
      },
      ...{ client, connection: stream, subscriptions: new Map(), holder: undefined, packetId: 0, keepAlive_ms: 0 },
    };
    this.#places.add(session);
    this.#sessions.set(client, session);
    stream.once("close", () => {
      this.#tally.connections -= 1;
      this.#places.leave(session);
      this.#sessions.delete(client);
    });
  }

  #endIdle(): void {
    const now_ms = performance.now();
    for (const session of this.#places.over(now_ms)) session.connection.refuse("idle");
    for (const { connection, keepAlive_ms } of this.#sessions.values()) {
      if (keepAlive_ms > 0 && now_ms - connection.heard_ms > keepAlive_ms) connection.refuse("slow");
    }
    const { admission } = this.#options;
    if (admission === undefined) return;
    for (const { holder, connection } of this.#sessions.values()) {
      const objected = holder === undefined ? undefined : admission.objection(holder);
      if (objected !== undefined) connection.refuse(objected.reason);
    }
  }

  /** The client is connected. */
  #serve(client: Client): void {
    const session = this.#sessions.get(client);
    session?.connection.serve(async (packet) => {
      if (!(await this.#take(session, client.id, readPublication(packet)))) session.connection.destroy();
    });
  }

  /** A will. */
  async #handle(client: Client | null, packet: PublishPacket, done: (error?: Error | null) => void): Promise<void> {
    const { topic, payload } = packet;
    const session = client === null ? undefined : this.#sessions.get(client);
    const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
    if (await this.#take(session, client?.id, { topic, payload: bytes, packetId: undefined })) {
      packet.qos = 0;
      done();
    } else done(new HandlerFailed("the node could not take what was published"));
  }

  /** Has the node take it, and acknowledges it; false where the session is to end, as the node could not. */
  async #take(session: Connected | undefined, id: string | undefined, publication: Publication): Promise<boolean> {
    const { topic, payload, packetId } = publication;
    if (this.#closed) return false;
    const published = publishedTopic(this.#options.network, topic);
    const isOpen = this.#options.admission === undefined;
    if (!published || !(isOpen || mayPublish(session?.holder, published))) {
      // MQTT 3.1.1 has no refusal of a publication but to end the session: it is acknowledged and goes nowhere.
      this.#refuse("wrong-topic", `${id} published on ${excerpt(topic)}`);
    } else {
      if (session !== undefined) this.#places.onActivity(session);
      this.#tally.received += 1;
      try {
        await this.#options.handlers.onPublish(published, payload, id ?? SESSION_MARK);
      } catch (thrown) {
        this.#tally.handler_failures += 1;
        this.#options.handlers.onHandlerFailure(thrown);
        return false;
      }
    }
    // A will has no identifier and gets no answer.
    if (packetId !== undefined) session?.connection.send(encodePuback(packetId));
    return true;
  }

  #subscribe(client: Client, { topic: text, qos }: { readonly topic: string; readonly qos: number }): boolean {
    const filter = parseFilter(this.#options.network, text);
    const session = this.#sessions.get(client);
    if (session === undefined || session.connection.destroyed) return false;
    const full =
      session.subscriptions.size >= this.#options.limits.subscriptions_max && !session.subscriptions.has(text);
    const isOpen = this.#options.admission === undefined;
    const isAllowed = filter !== undefined && (isOpen || maySubscribe(session.holder, filter));
    if (!isAllowed || (session.meter ?? filter.meter) !== filter.meter || full) {
      this.#refuse("wrong-subscription", `${client.id} subscribed to ${excerpt(text)}`);
      return false;
    }
    session.subscriptions.set(text, { filter, qos: qos === 0 ? 0 : 1 });
    this.#places.onActivity(session);
    this.#places.subscribe(session, filter.meter);
    return true;
  }

  #unsubscribe(client: Client, filters: readonly string[]): void {
    const session = this.#sessions.get(client);
    if (!session) return;
    for (const filter of filters) session.subscriptions.delete(filter);
    if (session.subscriptions.size === 0) this.#places.unsubscribe(session);
  }

  /** The topic of this network that the text is; undefined where it is none. */
  #ownTopic(text: string): Topic | undefined {
    const topic = parseTopic(text);
    return topic?.network === this.#options.network ? topic : undefined;
  }

  /** aedes ended a connection because of an error. */
  #failed(client: Client, error: Error): void {
    // What carries a code comes from the network, not from the client's packets.
    if (error instanceof HandlerFailed || "code" in error || error.message === "connection closed") return;
    const reason = error.message === "drain timeout" ? "unread" : "malformed";
    this.#refuse(reason, `${client.id ?? "a client"}: ${error.message}`);
  }

  #refuse(reason: IngestRefusal, detail: string): void {
    if (this.#closed) return;
    this.#tally.refused[reason] = (this.#tally.refused[reason] ?? 0) + 1;
    this.#options.handlers.onRefused(reason, detail);
  }
}

/** The quality at which the session subscribes to the topic (section 3.8.4); undefined where it does not. */
function qualityOf({ subscriptions }: Connected, topic: Topic): QualityOfService | undefined {
  let quality: QualityOfService | undefined;
  for (const { filter, qos } of subscriptions.values()) {
    if (filter.matches(topic)) quality = quality === 1 ? 1 : qos;
  }
  return quality;
}

/** Ends a session whose publication the node could not handle, so that it is sent again. */
class HandlerFailed extends Error {}

function createBrokerServer({ tls, limits }: EmbeddedBrokerOptions): Server {
  if (!tls) return createTcpServer();
  try {
    return createTlsServer({ ...tls, handshakeTimeout: limits.connect_timeout_ms });
  } catch (cause) {
    const message = `the broker's TLS certificate or key is unusable: ${reasonOf(cause)}`;
    throw new GridsealError("KEY_INVALID", message, { cause });
  }
}

/** What a client calls itself; whatever is no id may be a secret in the wrong field. */
function nameOf(username: string | undefined): string {
  return username !== undefined && idFromText(username) !== undefined ? username : "no id";
}

/** As much of a client's text as a log can bear. */
function excerpt(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}

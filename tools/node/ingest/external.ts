// Any MQTT 5 broker by URL, shared by several nodes: a record goes to one of the nodes that serve its chain by a shared
// subscription (MQTT 5.0 section 4.8.2), a birth to all. A publication is acknowledged to the broker once it is handled.

import type { Socket } from "node:net";
import type { IConnackPacket, IPublishPacket, MqttClient } from "mqtt";
import { GridsealError, reasonOf } from "../../errors.js";
import { createTally, type Ingest, type IngestCounters, type IngestHandlers, publishedTopic } from "./ingest.js";
import { PACKET_BYTES_MAX } from "./packet-guard.js";

export interface ExternalLimits {
  /** largest packet that the broker may send */
  readonly packet_bytes_max: number;
  /** publications in processing at once; the broker sends no more until one is acknowledged (receive maximum) */
  readonly processing_max: number;
  /** messages and bytes that may wait to be sent or acknowledged; what does not fit is dropped */
  readonly queue_max: number;
  readonly queue_bytes_max: number;
  /** time for the first connection; later ones are tried for ever */
  readonly connect_timeout_ms: number;
  readonly reconnect_ms: number;
}

export const defaultExternalLimits: ExternalLimits = {
  packet_bytes_max: PACKET_BYTES_MAX,
  processing_max: 2_000,
  queue_max: 10_000,
  queue_bytes_max: 32 * 1024 * 1024,
  connect_timeout_ms: 10_000,
  reconnect_ms: 1_000,
};

export interface ExternalBrokerOptions {
  /** `mqtt://` or `mqtts://`, with user and password where the broker asks for them */
  readonly url: string;
  /** unique among the broker's clients: another connection with the same id ends this one */
  readonly clientId: string;
  readonly network: string;
  /** the services whose chains this node serves; records of others are left to other nodes */
  readonly services: readonly number[];
  /** what this node shows for a connection, where the URL names no user */
  passwordFor?(url: string): { readonly username: string; readonly password: string };
  readonly limits: ExternalLimits;
  readonly handlers: IngestHandlers;
  /** The connection came about or was lost; for health and the log. */
  onConnection(connected: boolean, detail: string): void;
}

/** Makes a node's link to a shared broker; it connects on `start`, and again by itself whenever it is cut off. */
export function createExternalBroker(options: ExternalBrokerOptions): Ingest {
  return new ExternalBroker(options);
}

interface Outgoing {
  readonly topic: string;
  readonly payload: Buffer;
}

/** All nodes of a network are one group. */
const group = "gridseal";
const RETAIN_NOT_SENT = 2;

class ExternalBroker implements Ingest {
  readonly #options: ExternalBrokerOptions;
  readonly #tally = createTally();
  readonly #queue: Outgoing[] = [];
  #queue_bytes = 0;
  #client: MqttClient | undefined;
  /** publications of the broker in processing, and how the next is asked for where they are too many */
  #processing = 0;
  #resume: (() => void) | undefined;
  /** own publications without an acknowledgement, and how many the broker allows (receive maximum) */
  #unacknowledged = 0;
  #unacknowledged_max = 1;
  #closed = false;
  #lastError = "it does not answer";

  #services: readonly number[];

  constructor(options: ExternalBrokerOptions) {
    this.#options = options;
    this.#services = options.services;
  }

  async start(): Promise<{ readonly url: string }> {
    const { limits, url, clientId } = this.#options;
    const shown = withoutCredentials(url);
    const silent = () =>
      new GridsealError("BROKER_UNREACHABLE", `no session with the MQTT broker ${shown}: ${this.#lastError}`);
    // Loaded on use: it takes a quarter of a node's start, and a node with a broker of its own has none.
    const { connect } = await import("mqtt");
    if (this.#closed) throw silent();
    const shows = () => (new URL(url).username === "" ? this.#options.passwordFor?.(url) : undefined);
    const client = connect(url, {
      ...shows(),
      clientId,
      protocolVersion: 5,
      clean: true,
      keepalive: 30,
      reconnectPeriod: limits.reconnect_ms,
      connectTimeout: limits.connect_timeout_ms,
      resubscribe: false, // done here, so that a refusal is noticed
      properties: { receiveMaximum: limits.processing_max, maximumPacketSize: limits.packet_bytes_max },
    });
    this.#client = client;
    client.handleMessage = (packet, next) => this.#handle(client, packet, next);
    client.on("error", (error) => {
      this.#lastError = reasonOf(error);
    });
    client.on("close", () => this.#lost());
    // A token is good for minutes: each connection has its own.
    client.on("reconnect", () => Object.assign(client.options, shows()));
    const ready = new Promise<void>((resolve) => {
      client.on("connect", (connack) => {
        // A receipt must not wait until the broker has acknowledged the segment before.
        (client.stream as Socket).setNoDelay(true);
        void this.#connected(client, connack).then((heard) => heard && resolve());
      });
    });
    if (!(await withinTime(ready, limits.connect_timeout_ms))) {
      await this.close();
      throw silent();
    }
    return { url: shown };
  }

  serve(services: readonly number[]): void {
    const { network } = this.#options;
    const filtersOf = (wanted: readonly number[]) => wanted.map((service) => recordFilter(network, service));
    const added = filtersOf(services.filter((service) => !this.#services.includes(service)));
    const removed = filtersOf(this.#services.filter((service) => !services.includes(service)));
    this.#services = services;
    const client = this.#client;
    // Where it is not connected, it subscribes to all when it is.
    if (!client?.connected) return;
    const changed: Promise<unknown>[] = [];
    if (added.length > 0) changed.push(client.subscribeAsync(added, { qos: 1, rh: RETAIN_NOT_SENT }));
    if (removed.length > 0) changed.push(client.unsubscribeAsync(removed));
    Promise.all(changed).catch((thrown: unknown) => {
      this.#lastError = reasonOf(thrown);
      client.stream.destroy(); // it connects anew, and subscribes to all again
    });
  }

  publish(topic: string, payload: Uint8Array): boolean {
    const { queue_max, queue_bytes_max } = this.#options.limits;
    const full = this.#queue.length >= queue_max || this.#queue_bytes + payload.length > queue_bytes_max;
    if (!this.#client?.connected || full) {
      this.#tally.dropped += 1;
      return false;
    }
    this.#queue.push({ topic, payload: Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength) });
    this.#queue_bytes += payload.length;
    this.#send();
    return true;
  }

  /** It knows no sessions. */
  prove(): void {}
  isProved(): boolean {
    return false;
  }
  addressOf(): undefined {}

  hasSubscriber(): boolean {
    return this.#client?.connected ?? false;
  }

  counters(): IngestCounters {
    return { ...this.#tally, refused: { ...this.#tally.refused } };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#queue.length = 0;
    await this.#client?.endAsync(true);
  }

  /** Subscribes anew; the broker keeps nothing for a node that is away, the other nodes take its share. */
  async #connected(client: MqttClient, connack: IConnackPacket): Promise<boolean> {
    const { network, onConnection, url } = this.#options;
    this.#unacknowledged_max = connack.properties?.receiveMaximum ?? 65_535;
    const filters = [
      `gs1/${network}/-/birth/+`,
      ...["death", "diag"].map((kind) => `$share/${group}/gs1/${network}/-/${kind}/+`),
      ...this.#services.map((service) => recordFilter(network, service)),
    ];
    try {
      const grants = await client.subscribeAsync(filters, { qos: 1, rh: RETAIN_NOT_SENT });
      const refused = grants.find((grant) => grant.qos >= 128);
      if (refused) throw new Error(`it refuses the subscription ${refused.topic}`);
    } catch (thrown) {
      this.#lastError = reasonOf(thrown);
      client.stream.destroy();
      return false;
    }
    if (this.#closed) return false;
    this.#tally.connections = 1;
    onConnection(true, withoutCredentials(url));
    this.#send();
    return true;
  }

  #lost(): void {
    if (this.#tally.connections === 0) return;
    this.#tally.connections = 0;
    if (!this.#closed) this.#options.onConnection(false, this.#lastError);
  }

  /**
   * mqtt.js takes one publication at a time and acknowledges when `next` is called without an error. With one it goes on to
   * the next publication and leaves the acknowledgement to us: so that many are in processing at once, as one disk
   * synchronisation serves many.
   */
  #handle(client: MqttClient, packet: IPublishPacket, next: (error?: Error) => void): void {
    const stream = client.stream;
    const goOn = (): void => next(acknowledgedLater);
    this.#processing += 1;
    this.#deliver(packet).then(
      () => {
        if (packet.qos === 1 && client.stream === stream && client.connected && !this.#closed) {
          acknowledge(stream, packet.messageId!);
        }
        this.#processed();
      },
      (thrown: unknown) => {
        this.#tally.handler_failures += 1;
        this.#options.handlers.onHandlerFailure(thrown);
        // Unacknowledged, it would take up one of the places in processing for ever: the session begins anew.
        if (client.stream === stream) stream.destroy();
        this.#processed();
      },
    );
    if (this.#processing < this.#options.limits.processing_max) goOn();
    else this.#resume = goOn;
  }

  async #deliver({ topic, payload }: IPublishPacket): Promise<void> {
    if (this.#closed) return;
    const { handlers, network } = this.#options;
    const published = publishedTopic(network, topic);
    if (!published) {
      this.#tally.refused["wrong-topic"] = (this.#tally.refused["wrong-topic"] ?? 0) + 1;
      handlers.onRefused("wrong-topic", JSON.stringify(topic.slice(0, 100)));
      return;
    }
    this.#tally.received += 1;
    // A shared broker does not say who published.
    await handlers.onPublish(published, typeof payload === "string" ? Buffer.from(payload) : payload, "");
  }

  #processed(): void {
    this.#processing -= 1;
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  #send(): void {
    const client = this.#client;
    while (client?.connected && this.#unacknowledged < this.#unacknowledged_max) {
      const next = this.#queue.shift();
      if (!next) return;
      this.#unacknowledged += 1;
      client.publish(next.topic, next.payload, { qos: 1 }, (error) => {
        this.#unacknowledged -= 1;
        this.#queue_bytes -= next.payload.length;
        if (error) this.#tally.dropped += 1;
        else this.#tally.published += 1;
        this.#send();
      });
    }
  }
}

/** Tells mqtt.js that the acknowledgement is not its to send. */
const acknowledgedLater = new Error("acknowledged when handled");

/** PUBACK, its reason code 0 left out (MQTT 5.0 section 3.4.2.1); those of one turn leave together. */
function acknowledge(stream: MqttClient["stream"], messageId: number): void {
  stream.cork();
  stream.write(Uint8Array.of(0x40, 2, messageId >> 8, messageId & 0xff));
  process.nextTick(() => stream.uncork());
}

function withinTime(promise: Promise<void>, timeout_ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), timeout_ms);
    void promise.then(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

/** A record goes to one of the nodes that serve its chain. */
function recordFilter(network: string, service: number): string {
  return `$share/${group}/gs1/${network}/${service}/record/+`;
}

function withoutCredentials(url: string): string {
  return url.replace(/^(\w+:\/\/)[^/]*@/, "$1");
}

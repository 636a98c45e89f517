// One MQTT 3.1.1 connection of the agent over the SDK's ECMA-419 client: clean session, QoS 1, the agent's own packet ids. A message
// larger than the socket's free space is written in pieces. Nothing here closes the client inside one of its own callbacks.
// A class where closures would do: XS keeps a method once, in ROM, but a closure with all that it uses in RAM.

import MQTTClient, { type Control } from "embedded:network/mqtt/client";
import Timer from "timer";
import type { MqttConnection, MqttEvents, MqttOptions } from "../../src/host.js";

/** What the platform adds: how names are resolved and which sockets are made. */
export interface Network {
  /** Resolves a name; an absent address says that it cannot be. */
  resolve(host: string, done: (address: string | undefined) => void): void;
  /** The socket options of the client: its class under `io`, and what TLS needs. */
  socket(secure: boolean, host: string): object;
  /** Why there is no network at present, or undefined where there is one. */
  down(): string | undefined;
}

/** A message that is longer is read and dropped: no receipt is. */
const MESSAGE_BYTES_MAX = 16_384;
/** Events that wait for the agent before messages are left unread; acknowledgements are small and always come in. */
const EVENTS_MAX = 3;
const PORT = 1883;
const PORT_SECURE = 8883;
const SUBSCRIPTION_REFUSED = 0x80;
const PACKET_ID_MAX = 0xffff;
/** First byte, remaining length of up to four, length of the topic, packet id (MQTT 3.1.1, 3.3). */
const PUBLISH_HEAD_BYTES = 9;
/** What the client keeps free of the room that it reports, for packets of its own. */
const CLIENT_OVERHEAD = 8;

interface Broker {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
}

/** What the agent is yet to hear of: a number is the packet id of a PUBACK, a text why the connection is closed. */
type Event = "connected" | { readonly id: number } | Incoming | { readonly closed: string };

/** What the client says of a piece of a message that can be read. */
interface MessagePiece {
  readonly topic?: string;
  readonly byteLength?: number;
  readonly more: boolean;
}

interface Incoming {
  readonly topic: string;
  readonly bytes: Uint8Array;
  length: number;
}

/** Opens the connection; whatever is wrong with it comes as `onClosed`, never before this returns. */
export function connectMqtt(options: MqttOptions, events: MqttEvents, network: Network): MqttConnection {
  return new Connection(options, events, network);
}

class Connection implements MqttConnection {
  private client: MQTTClient | undefined = undefined;
  private isConnected = false;
  private isClosed = false;
  /** room for a message's bytes */
  private room = 0;
  /** what is still to be written of a message */
  private rest: Uint8Array | undefined = undefined;
  private subscription = 0;
  private incoming: Incoming | undefined = undefined;
  private readonly waiting: Event[] = [];
  /** a piece of a message that the client keeps until the agent has caught up */
  private unread: { readonly count: number; readonly options: MessagePiece } | undefined = undefined;

  constructor(
    private readonly options: MqttOptions,
    private readonly events: MqttEvents,
    private readonly network: Network,
  ) {
    Timer.set(() => this.start());
  }

  publish(packetId: number, topic: string, payload: Uint8Array, duplicate: boolean): boolean {
    const topicBytes = topic.length; // topics are ASCII
    const first = Math.min(payload.length, this.room + CLIENT_OVERHEAD - PUBLISH_HEAD_BYTES - topicBytes);
    const { client } = this;
    if (client === undefined || !this.isConnected || this.rest !== undefined || packetId === this.subscription)
      return false;
    if (first < 0 || (first === 0 && payload.length > 0)) return false;
    if (first < payload.length) this.rest = payload.subarray(first);
    this.room = client.write(payload.subarray(0, first), {
      topic,
      id: packetId,
      QoS: 1,
      duplicate,
      byteLength: payload.length,
    });
    return true;
  }

  subscribe(topics: readonly string[]): void {
    if (this.client === undefined || !this.isConnected) return;
    this.subscription = PACKET_ID_MAX;
    const items = topics.map((topic) => ({ topic, QoS: 1 }));
    try {
      this.room = this.client.write(null, { operation: MQTTClient.SUBSCRIBE, id: this.subscription, items });
    } catch (thrown) {
      // Without it no receipt would ever arrive.
      this.finish(`subscription cannot be sent: ${String(thrown)}`);
    }
  }

  close(): void {
    if (this.client !== undefined && this.isConnected && this.rest === undefined) {
      try {
        this.client.write(null, { operation: MQTTClient.DISCONNECT });
      } catch {
        // A socket that is full gets no DISCONNECT; the broker sees it end.
      }
    }
    this.finish("closed by the agent");
  }

  private start(): void {
    const { options, network } = this;
    const broker = parseUrl(options.url);
    const down = network.down();
    if (broker === undefined) return this.finish(`${options.url} is no broker's URL`);
    if (down !== undefined) return this.finish(`no network: ${down}`);
    network.resolve(broker.host, (address) => {
      if (this.isClosed) return;
      if (address === undefined) return this.finish(`no network: the name ${broker.host} cannot be resolved`);
      try {
        this.open(broker, address);
      } catch (thrown) {
        this.finish(`${options.url}: ${String(thrown)}`);
      }
    });
  }

  private open(broker: Broker, address: string): void {
    const { clientId, keepAlive_s, username, password, will } = this.options;
    this.client = new MQTTClient({
      host: broker.host,
      port: broker.port,
      id: clientId,
      clean: true,
      keepAlive: keepAlive_s * 1000,
      ...(username !== undefined && { user: username }),
      ...(password !== undefined && { password: bufferOf(password) }),
      ...(will !== undefined && { will: { topic: will.topic, message: bufferOf(will.payload), QoS: 1 } }),
      dns: { io: Resolved, address } as { readonly io: unknown },
      socket: this.network.socket(broker.secure, broker.host),
      onControl: (message) => this.control(message),
      onReadable: (count, options) => this.readable(count, options),
      onWritable: (count) => this.writable(count),
      onError: () => this.failed(),
    });
  }

  private control(message: Control): void {
    if (this.isClosed) return;
    switch (message.operation) {
      case MQTTClient.CONNACK:
        this.isConnected = true;
        return this.tell("connected");
      case MQTTClient.PUBACK:
        return this.tell({ id: message.id ?? 0 });
      case MQTTClient.SUBACK:
        this.subscription = 0;
        if (message.payload?.includes(SUBSCRIPTION_REFUSED)) this.finish("broker refused a subscription");
    }
  }

  /** What is left unread stays in the socket, and at last with the broker: receipts come faster than they are verified. */
  private readable(count: number, options: MessagePiece): void {
    if (this.waiting.length < EVENTS_MAX) this.read(count, options);
    else this.unread = { count, options };
  }

  private read(count: number, { topic, byteLength, more }: MessagePiece): void {
    if (this.client === undefined || this.isClosed) return;
    const bytes = new Uint8Array(this.client.read(count));
    if (topic !== undefined) {
      const length = byteLength ?? bytes.length;
      if (length > MESSAGE_BYTES_MAX) this.incoming = undefined;
      // Most messages come whole.
      else this.incoming = { topic, bytes: more ? new Uint8Array(length) : bytes, length: 0 };
    }
    const { incoming } = this;
    if (incoming === undefined) return;
    if (incoming.bytes !== bytes) incoming.bytes.set(bytes, incoming.length);
    incoming.length += bytes.length;
    if (more) return;
    this.incoming = undefined;
    this.tell(incoming);
  }

  private writable(count: number): void {
    const { client, rest } = this;
    this.room = count;
    if (client === undefined || rest === undefined || this.isClosed) return;
    const length = Math.min(count, rest.length);
    if (length === 0) return;
    this.rest = length === rest.length ? undefined : rest.subarray(length);
    this.room = client.write(rest.subarray(0, length));
  }

  private failed(): void {
    this.client = undefined; // it closes itself after this
    this.finish(this.isConnected ? "connection lost" : `${this.options.url} does not answer or refuses`);
  }

  private finish(reason: string): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.isConnected = false;
    this.rest = undefined;
    this.tell({ closed: reason });
  }

  /** The agent hears of events from a timer: on an empty stack, and never inside a callback of the client. */
  private tell(event: Event): void {
    this.waiting.push(event);
    if (this.waiting.length === 1) Timer.set(() => this.tellNext());
  }

  private tellNext(): void {
    const event = this.waiting.shift();
    if (this.waiting.length > 0) Timer.set(() => this.tellNext());
    if (event === undefined) return;
    this.hand(event);
    if (this.unread === undefined || this.waiting.length >= EVENTS_MAX) return;
    const { count, options } = this.unread;
    this.unread = undefined;
    this.read(count, options);
  }

  private hand(event: Event): void {
    if (typeof event === "object" && "closed" in event) {
      this.client?.close();
      this.client = undefined;
      this.events.onClosed(event.closed);
    } else if (this.isClosed) return;
    else if (event === "connected") this.events.onConnected();
    else if ("id" in event) this.events.onPublished(event.id);
    else this.events.onMessage(event.topic, event.bytes);
  }
}

/** The resolver that the client asks: the name has been resolved already, so that a connection can be given up at any moment. */
class Resolved {
  readonly #address: string;

  constructor({ address }: { readonly address: string }) {
    this.#address = address;
  }

  resolve({ host, onResolved }: { host: string; onResolved(host: string, address: string): void }): void {
    onResolved(host, this.#address);
  }
}

function parseUrl(url: string): Broker | undefined {
  const secure = url.startsWith("mqtts://");
  if (!secure && !url.startsWith("mqtt://")) return undefined;
  const place = url.slice(secure ? 8 : 7);
  const colon = place.lastIndexOf(":");
  if (colon < 0) return { secure, host: place, port: secure ? PORT_SECURE : PORT };
  const port = Number(place.slice(colon + 1));
  return Number.isInteger(port) && port > 0 && port <= 0xffff
    ? { secure, host: place.slice(0, colon), port }
    : undefined;
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer as ArrayBuffer;
}

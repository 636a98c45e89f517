// One MQTT 3.1.1 connection of the agent over the SDK's ECMA-419 client: clean session, QoS 1, the agent's own packet ids. A message
// larger than the socket's free space is written in pieces. Nothing here closes the client inside one of its own callbacks.

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

/** Opens the connection; whatever is wrong with it comes as `onClosed`, never before this returns. */
export function connectMqtt(options: MqttOptions, events: MqttEvents, network: Network): MqttConnection {
  let client: MQTTClient | undefined;
  let isConnected = false;
  let isClosed = false;
  /** room for a message's bytes */
  let room = 0;
  /** what is still to be written of a message */
  let rest: Uint8Array | undefined;
  let subscription = 0;
  let incoming: { readonly topic: string; readonly bytes: Uint8Array; length: number } | undefined;

  const waiting: (() => void)[] = [];

  /** The agent hears of events from a timer: on an empty stack, and never inside a callback of the client. */
  const tell = (event: () => void): void => {
    waiting.push(event);
    if (waiting.length === 1) Timer.set(tellNext);
  };

  const tellNext = (): void => {
    const event = waiting.shift();
    if (waiting.length > 0) Timer.set(tellNext);
    event?.();
  };

  const finish = (reason: string): void => {
    if (isClosed) return;
    isClosed = true;
    isConnected = false;
    rest = undefined;
    tell(() => {
      client?.close();
      client = undefined;
      events.onClosed(reason);
    });
  };

  const open = (broker: Broker, address: string): void => {
    const { username, password, will } = options;
    client = new MQTTClient({
      host: broker.host,
      port: broker.port,
      id: options.clientId,
      clean: true,
      keepAlive: options.keepAlive_s * 1000,
      ...(username !== undefined && { user: username }),
      ...(password !== undefined && { password: bufferOf(password) }),
      ...(will !== undefined && { will: { topic: will.topic, message: bufferOf(will.payload), QoS: 1 } }),
      dns: { io: Resolved, address } as { readonly io: unknown },
      socket: network.socket(broker.secure, broker.host),
      onControl: control,
      onReadable(count, { topic, byteLength, more }) {
        read(this.read(count), topic, byteLength, more);
      },
      onWritable(count) {
        room = count;
        writeRest();
      },
      onError() {
        // The client closes itself after this.
        client = undefined;
        finish(isConnected ? "connection lost" : `${options.url} does not answer or refuses`);
      },
    });
  };

  const control = (message: Control): void => {
    if (isClosed) return;
    switch (message.operation) {
      case MQTTClient.CONNACK:
        isConnected = true;
        tell(() => isClosed || events.onConnected());
        return;
      case MQTTClient.PUBACK:
        tell(() => isClosed || events.onPublished(message.id ?? 0));
        return;
      case MQTTClient.SUBACK:
        subscription = 0;
        if (message.payload?.includes(SUBSCRIPTION_REFUSED)) finish("broker refused a subscription");
    }
  };

  const read = (
    buffer: ArrayBuffer,
    topic: string | undefined,
    byteLength: number | undefined,
    more: boolean,
  ): void => {
    const bytes = new Uint8Array(buffer);
    if (topic !== undefined) {
      const length = byteLength ?? bytes.length;
      incoming = length > MESSAGE_BYTES_MAX ? undefined : { topic, bytes: new Uint8Array(length), length: 0 };
    }
    if (incoming === undefined) return;
    incoming.bytes.set(bytes, incoming.length);
    incoming.length += bytes.length;
    if (more) return;
    const whole = incoming;
    incoming = undefined;
    tell(() => isClosed || events.onMessage(whole.topic, whole.bytes));
  };

  const writeRest = (): void => {
    if (client === undefined || rest === undefined || isClosed) return;
    const length = Math.min(room, rest.length);
    if (length === 0) return;
    const piece = rest.subarray(0, length);
    rest = length === rest.length ? undefined : rest.subarray(length);
    room = client.write(piece);
  };

  const start = (): void => {
    const broker = parseUrl(options.url);
    const down = network.down();
    if (broker === undefined) return finish(`${options.url} is no broker's URL`);
    if (down !== undefined) return finish(`no network: ${down}`);
    network.resolve(broker.host, (address) => {
      if (isClosed) return;
      if (address === undefined) return finish(`no network: the name ${broker.host} cannot be resolved`);
      try {
        open(broker, address);
      } catch (thrown) {
        finish(`${options.url}: ${String(thrown)}`);
      }
    });
  };

  Timer.set(start);

  return {
    publish(packetId, topic, payload, duplicate) {
      const topicBytes = topic.length; // topics are ASCII
      const first = Math.min(payload.length, room + CLIENT_OVERHEAD - PUBLISH_HEAD_BYTES - topicBytes);
      if (client === undefined || !isConnected || rest !== undefined || packetId === subscription) return false;
      if (first < 0 || (first === 0 && payload.length > 0)) return false;
      if (first < payload.length) rest = payload.subarray(first);
      room = client.write(payload.subarray(0, first), {
        topic,
        id: packetId,
        QoS: 1,
        duplicate,
        byteLength: payload.length,
      });
      return true;
    },
    subscribe(topics) {
      if (client === undefined || !isConnected) return;
      subscription = PACKET_ID_MAX;
      const items = topics.map((topic) => ({ topic, QoS: 1 }));
      try {
        room = client.write(null, { operation: MQTTClient.SUBSCRIBE, id: subscription, items });
      } catch (thrown) {
        // Without it no receipt would ever arrive.
        finish(`subscription cannot be sent: ${String(thrown)}`);
      }
    },
    close() {
      if (client !== undefined && isConnected && rest === undefined) {
        try {
          client.write(null, { operation: MQTTClient.DISCONNECT });
        } catch {
          // A socket that is full gets no DISCONNECT; the broker sees it end.
        }
      }
      finish("closed by the agent");
    },
  };
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

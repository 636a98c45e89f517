// One MQTT 3.1.1 connection of a meter, over the `mqtt` package: clean session, QoS 1 both ways, the agent's own packet
// identifiers on the wire, and no reconnecting, since when and where to try again is the agent's decision.

import { X509Certificate } from "node:crypto";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import type { MqttConnection, MqttOptions } from "../../src/host.js";
import { reasonOf } from "../errors.js";

export interface MqttLinkOptions extends MqttOptions {
  /** DER of the one certificate that may have issued the broker's; the system's where absent */
  readonly ca?: Uint8Array;
}

export interface MqttLinkEvents {
  onConnected(): void;
  onPublished(packetId: number): void;
  /** The broker is acknowledged, and the next message taken, when `taken` is called. */
  onMessage(topic: string, payload: Uint8Array, taken: () => void): void;
  /** Once, and nothing after it. */
  onClosed(reason: string): void;
}

export interface MqttLink extends MqttConnection {
  /** Ends the connection as a power cut does: no DISCONNECT, so that the broker publishes the will. No event follows. */
  cut(): void;
}

/** Publishes without their PUBACK: beyond it, the transport counts as full. */
const PENDING_MAX = 64;
const SOCKET_BYTES_MAX = 262_144;
const CONNECT_MS_MAX = 10_000;
/** How long a DISCONNECT waits for the PUBACKs on their way. */
const DISCONNECT_MS_MAX = 1_000;
const PACKET_ID_MAX = 65_535;

/** Opens the connection; whatever is wrong with it comes as `onClosed`. */
export function openMqttLink(options: MqttLinkOptions, events: MqttLinkEvents): MqttLink {
  const pending = new Set<number>();
  const packetIds = createPacketIds(pending);
  let reason = "the connection was closed";
  let closed = false;

  function finish(): void {
    if (closed) return;
    closed = true;
    pending.clear();
    events.onClosed(reason);
  }

  function fail(why: string): void {
    reason = why;
    client?.end(true);
  }

  let client: MqttClient | undefined;
  try {
    client = connect(options, packetIds.provider);
  } catch (thrown) {
    reason = `${options.url}: ${reasonOf(thrown)}`;
    const refusal = setImmediate(finish);
    return { publish: () => false, subscribe() {}, close() {}, cut: () => clearImmediate(refusal) };
  }
  const link = client;
  link.on("connect", () => closed || events.onConnected());
  link.on("error", (error) => fail(textOf(error)));
  link.on("close", finish);
  // Taken here and not from the event `message`: only this one holds the acknowledgement, and with it the broker, back.
  link.handleMessage = (packet, done) => {
    if (closed) return done();
    events.onMessage(packet.topic, bytesOf(packet.payload), done);
  };

  return {
    publish(packetId, topic, payload, duplicate) {
      if (!Number.isInteger(packetId) || packetId < 1 || packetId > PACKET_ID_MAX)
        throw new RangeError(`MQTT packet identifier must be 1 to ${PACKET_ID_MAX}, got ${packetId}`);
      if (closed || !link.connected || packetIds.isSubscription(packetId)) return false;
      const isFull = pending.size >= PENDING_MAX || link.stream.writableLength > SOCKET_BYTES_MAX;
      // With nothing pending no PUBACK would say that there is room again.
      if (isFull && pending.size > 0 && !pending.has(packetId)) return false;
      pending.add(packetId);
      packetIds.next(packetId);
      link.publish(topic, Buffer.from(payload), { qos: 1, dup: duplicate }, (error) => {
        if (error || closed || !pending.delete(packetId)) return;
        events.onPublished(packetId);
      });
      return true;
    },
    subscribe(topics) {
      if (closed) return;
      // A refusal (return code 0x80, 3.9.3) comes as an error: without the subscription no receipt would ever arrive.
      link.subscribe([...topics], { qos: 1 }, (error) => {
        if (error) fail(`the broker refused the subscription to ${topics.join(", ")}: ${error.message}`);
      });
    },
    close() {
      if (!link.connected) return void link.end(true);
      link.end(false);
      setTimeout(() => link.stream.destroy(), DISCONNECT_MS_MAX).unref();
    },
    cut() {
      closed = true;
      link.end(true);
    },
  };
}

function connect(options: MqttLinkOptions, messageIdProvider: PacketIdProvider): MqttClient {
  if (!/^mqtts?:\/\//.test(options.url)) throw new Error("a broker's URL begins with mqtt:// or mqtts://");
  return mqtt.connect(options.url, {
    clientId: options.clientId,
    protocolId: "MQTT",
    protocolVersion: 4,
    clean: true,
    keepalive: options.keepAlive_s,
    reconnectPeriod: 0,
    resubscribe: false,
    connectTimeout: CONNECT_MS_MAX,
    messageIdProvider,
    ...(options.ca === undefined ? {} : { ca: new X509Certificate(options.ca).toString() }),
    ...(options.username === undefined ? {} : { username: options.username }),
    ...(options.password === undefined ? {} : { password: Buffer.from(options.password) }),
    ...(options.will === undefined
      ? {}
      : { will: { topic: options.will.topic, payload: Buffer.from(options.will.payload), qos: 1, retain: false } }),
  });
}

type PacketIdProvider = NonNullable<IClientOptions["messageIdProvider"]>;

/** Gives publishes the identifier that the agent chose and subscriptions one from the top that no publish is using. */
function createPacketIds(publishes: ReadonlySet<number>) {
  const subscriptions = new Set<number>();
  let chosen: number | undefined;
  let lastAllocated: number | null = null;

  function allocate(): number {
    let packetId = chosen;
    chosen = undefined;
    if (packetId === undefined) {
      packetId = PACKET_ID_MAX;
      // Ends: at most PENDING_MAX publishes and as many subscriptions are under way.
      while (publishes.has(packetId) || subscriptions.has(packetId)) packetId -= 1;
      subscriptions.add(packetId);
    }
    lastAllocated = packetId;
    return packetId;
  }

  const provider: PacketIdProvider = {
    allocate,
    getLastAllocated: () => lastAllocated,
    register: () => true,
    deallocate: (packetId) => void subscriptions.delete(packetId),
    clear: () => subscriptions.clear(),
  };
  return {
    provider,
    isSubscription: (packetId: number) => subscriptions.has(packetId),
    next(packetId: number) {
      chosen = packetId;
    },
  };
}

/** Where every address of a host refuses, the error has a code alone. */
function textOf(error: { readonly message: string; readonly code?: unknown }): string {
  return error.message === "" ? String(error.code) : error.message;
}

function bytesOf(payload: string | Buffer): Uint8Array {
  return typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
}

// How what meters publish reaches a node, and what the node publishes reaches meters: one interface over the embedded broker
// and any other. Topics as src/wire/topics.ts has them, QoS 1, nothing retained (MQTT 3.1.1 and 5.0).

import { parseTopic, type Topic } from "../../../src/wire/topics.js";
import type { TokenRefusal } from "../admission/token-judge.js";

/** Why a connection or a packet was refused; the names are also labels of the node's counters. */
export type IngestRefusal =
  | TokenRefusal
  /** a packet larger than the limit, at its header */
  | "oversized"
  /** not MQTT 3.1.1, or not the packets that a client may send */
  | "malformed"
  | "not-connect"
  | "slow"
  | "flood"
  /** QoS 2, or QoS 1 promised and not kept apart from it */
  | "quality-of-service"
  /** more connections than the limit, in all or of an address; or an idle one that made room */
  | "crowded"
  /** a client that neither subscribes nor publishes, or has sent nothing for long */
  | "idle"
  | "wrong-topic"
  | "wrong-subscription"
  /** a client that takes nothing off its connection */
  | "unread";

/** A topic that clients may publish on, of the node's own network. */
export type PublishedTopic =
  | { readonly kind: "record"; readonly service: number; readonly meter: string }
  | { readonly kind: "birth" | "death" | "diag"; readonly meter: string };

/** What a node does with what meters publish. Handlers neither throw nor reject on bad input, only where the node itself fails. */
export interface IngestHandlers {
  /**
   * What was published, as it was; resolves once it is durable or refused, and only then is it acknowledged.
   * A rejection leaves it unacknowledged, so that the meter sends it again. `client` names the session, none twice.
   */
  onPublish(topic: PublishedTopic, payload: Uint8Array, client: string): Promise<void>;
  /** Something was refused before it became a message; for the log. */
  onRefused(reason: IngestRefusal, detail: string): void;
  /** A handler rejected: the node's own failure, not the client's. */
  onHandlerFailure(thrown: unknown): void;
}

export interface IngestCounters {
  readonly connections: number;
  readonly received: number;
  readonly published: number;
  /** messages not sent because their receiver, or the broker, does not keep up or is not there */
  readonly dropped: number;
  readonly handler_failures: number;
  /** connections paused because they were faster than the limit */
  readonly throttled: number;
  readonly refused: Readonly<Partial<Record<IngestRefusal, number>>>;
}

/** The counters while they are counted. */
export type IngestTally = { -readonly [Name in Exclude<keyof IngestCounters, "refused">]: IngestCounters[Name] } & {
  readonly refused: Partial<Record<IngestRefusal, number>>;
};

export interface Ingest {
  /** Resolves once meters can be heard, with the URL that meters connect to; rejects with PORT_UNAVAILABLE or BROKER_UNREACHABLE. */
  start(): Promise<{ readonly url: string }>;
  /** Records of these services are heard from here on, and of no others. */
  serve(services: readonly number[]): void;
  /**
   * Sends to the meter of the topic, QoS 1; false where nobody here is to receive it or the message was dropped. It goes to the sessions
   * that have proved to be the meter's and subscribe to it; with `to`, the client that a handler was told of, to that session alone,
   * whoever it is. A shared broker does not know its clients and tells all.
   */
  publish(topic: string, payload: Uint8Array, to?: string): boolean;
  /** The session has shown that it speaks for the meter: what is published to the meter goes to it from here on. */
  prove(client: string, meter: string): void;
  /** Whether it has. */
  isProved(client: string, meter: string): boolean;
  /** What the session's address counts as; undefined where it is over, or on a shared broker. */
  addressOf(client: string): string | undefined;
  /** Whether a publication would reach a subscriber as far as this node can know; a shared broker always may have one. */
  hasSubscriber(topic: string): boolean;
  counters(): IngestCounters;
  /** Ends all sessions; no handler is called afterwards. */
  close(): Promise<void>;
}

export function createTally(): IngestTally {
  return {
    connections: 0,
    received: 0,
    published: 0,
    dropped: 0,
    handler_failures: 0,
    throttled: 0,
    refused: {},
  };
}

/** The topic of a publication; undefined where clients may not publish on it. */
export function publishedTopic(network: string, topic: string): PublishedTopic | undefined {
  const parsed = parseTopic(topic);
  if (parsed?.network !== network) return undefined;
  const { kind, meter } = parsed;
  if (kind === "record") return { kind, service: parsed.service, meter };
  return kind === "birth" || kind === "death" || kind === "diag" ? { kind, meter } : undefined;
}

/** What a client may subscribe to: what is sent to one meter, of one service or, with `+`, of all. */
export interface Filter {
  readonly meter: string;
  readonly kind: Topic["kind"];
  readonly matches: (topic: Topic) => boolean;
}

/** Reads a topic filter; undefined where it is none that a client may have. */
export function parseFilter(network: string, filter: string): Filter | undefined {
  const everyService = filter.startsWith(`gs1/${network}/+/`);
  const parsed = parseTopic(everyService ? filter.replace("/+/", "/1/") : filter);
  if (parsed?.network !== network) return undefined;
  const { kind, meter } = parsed;
  if (kind === "receipt" || kind === "members") {
    const service = everyService ? undefined : parsed.service;
    return {
      meter,
      kind,
      matches: (topic) =>
        topic.kind === kind && topic.meter === meter && (service === undefined || topic.service === service),
    };
  }
  if (kind !== "ack" && kind !== "command" && kind !== "time" && kind !== "violation") return undefined;
  return { meter, kind, matches: (topic) => topic.kind === kind && topic.meter === meter };
}

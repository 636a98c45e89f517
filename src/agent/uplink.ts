// The meter's MQTT session (3.1.1, QoS 1, clean): birth first, then the outbox, oldest first, within the window. A state machine: inputs
// and uptime in, effects out. link.ts has the connection, window.ts the records on their way.

import type { MqttOptions } from "../host.js";
import { equalBytes } from "../wire/bytes.js";
import type { Refusal } from "../wire/refusal.js";
import { meterTopic, serviceTopic } from "../wire/topics.js";
import { createLink, type LinkState } from "./link.js";
import type { Outbox } from "./outbox.js";
import { BUSY_PAUSE_MS, createWindow, type Travelling } from "./window.js";

/** A broker that has not acknowledged a publication by then is gone, whatever its socket says. */
export const ACKNOWLEDGEMENT_TIMEOUT_MS = 30_000;
/** Where several brokers are named and nothing has been sealed for so long, the next one's nodes may do better. */
export const STALL_MS = 60_000;
/** The birth is not repeated faster than this, however often nodes ask. */
export const BIRTH_INTERVAL_MS = 5_000;
/** A full transport is tried again after this where no acknowledgement comes first. */
const BLOCKED_MS = 1_000;
/** Offered again and again, a call of the shell has an end. */
const PUBLICATIONS_A_STEP_MAX = 16;
const KEEP_ALIVE_S = 30;
const noBytes = new Uint8Array(0);

export type UplinkInput =
  | { readonly kind: "wake" }
  | { readonly kind: "connected"; readonly connection: number }
  | { readonly kind: "published"; readonly connection: number; readonly packetId: number }
  | { readonly kind: "blocked"; readonly connection: number; readonly packetId: number }
  | { readonly kind: "closed"; readonly connection: number; readonly reason: string }
  | { readonly kind: "sealed"; readonly recordHash: Uint8Array }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "diagnosis"; readonly payload: Uint8Array };

export type UplinkEffect =
  | { readonly kind: "connect"; readonly connection: number; readonly options: MqttOptions }
  | { readonly kind: "close"; readonly connection: number }
  | { readonly kind: "subscribe"; readonly connection: number; readonly topics: readonly string[] }
  | {
      readonly kind: "publish";
      readonly connection: number;
      readonly packetId: number;
      readonly topic: string;
      readonly payload: Uint8Array;
      readonly duplicate: boolean;
    };

export interface UplinkCounters {
  readonly published: number;
  readonly republished: number;
  readonly sealed: number;
  readonly connections: number;
  readonly disconnections: number;
}

export interface Uplink {
  step(input: UplinkInput, uptime_ms: number): UplinkEffect[];
  readonly link: LinkState;
  /** why the last connection ended; undefined while there is one, or before the first */
  readonly closedBecause: string | undefined;
  /** whether a record of this hash is on its way and has no receipt yet */
  expects(recordHash: Uint8Array): boolean;
  /** how long the oldest record on its way has waited for its receipt */
  oldestWait_ms(uptime_ms: number): number;
  /** uptime at which it wants to be woken; infinite where only an input matters */
  wakeAt_ms(uptime_ms: number): number;
  readonly counters: UplinkCounters;
}

export interface UplinkOptions {
  readonly brokers: readonly string[];
  readonly network: string;
  /** kid as topics write it */
  readonly meter: string;
  /** what the birth topic carries */
  readonly credential: Uint8Array;
  readonly outbox: Outbox;
  /** a fraction from 0 up to but not including 1 */
  readonly random: () => number;
}

export function createUplink(options: UplinkOptions): Uplink {
  const { network, meter, credential, outbox, random } = options;
  const link = createLink(options.brokers, random);
  const window = createWindow(outbox, random);
  const counters = { published: 0, republished: 0, sealed: 0, connections: 0, disconnections: 0 };
  let packetId = 0;
  let birthPacketId = 0;
  let birthAt_ms = 0;
  let birthDue = false;
  /** nothing is published before */
  let pausedUntil_ms = 0;
  let provedAt_ms = 0;
  let closedBecause: string | undefined;

  return {
    step(input, uptime_ms) {
      const effects: UplinkEffect[] = [];
      take(input, uptime_ms, effects);
      watch(uptime_ms, effects);
      const begun = link.begin(uptime_ms);
      if (begun !== undefined)
        effects.push({ kind: "connect", connection: begun.connection, options: session(begun.url) });
      publishWhatIsDue(uptime_ms, effects);
      return effects;
    },
    get link() {
      return link.state;
    },
    get closedBecause() {
      return closedBecause;
    },
    expects: (recordHash) => window.travelling.some((record) => equalBytes(record.hash, recordHash)),
    oldestWait_ms: (uptime_ms) => Math.max(0, uptime_ms - oldestSince_ms()),
    wakeAt_ms(uptime_ms) {
      if (link.state.kind !== "connected") return link.state.until_ms;
      const deadline_ms = Math.min(window.nextDue_ms(), stalledAt_ms());
      if (uptime_ms < pausedUntil_ms) return pausedUntil_ms;
      return birthDue ? Math.min(deadline_ms, birthAt_ms + BIRTH_INTERVAL_MS) : deadline_ms;
    },
    get counters() {
      return { ...counters };
    },
  };

  function take(input: UplinkInput, uptime_ms: number, effects: UplinkEffect[]): void {
    switch (input.kind) {
      case "wake":
        return;
      case "connected":
        connected(input.connection, uptime_ms, effects);
        return;
      case "published":
        published(input.connection, input.packetId, uptime_ms);
        return;
      case "blocked":
        blocked(input.connection, input.packetId, uptime_ms);
        return;
      case "closed":
        lose(input.connection, input.reason, uptime_ms);
        return;
      case "sealed":
        if (window.sealed(input.recordHash) === undefined) return;
        counters.sealed += 1;
        provedAt_ms = uptime_ms;
        return;
      case "refused":
        refused(input.refusal, uptime_ms);
        return;
      case "diagnosis":
        if (link.state.kind !== "connected" || uptime_ms < pausedUntil_ms) return;
        publish(meterTopic(network, "diag", meter), input.payload, nextPacketId(), false, effects);
    }
  }

  function connected(connection: number, uptime_ms: number, effects: UplinkEffect[]): void {
    if (!link.connected(connection, uptime_ms)) return;
    counters.connections += 1;
    closedBecause = undefined;
    provedAt_ms = uptime_ms;
    pausedUntil_ms = 0;
    birthDue = true;
    birthAt_ms = uptime_ms - BIRTH_INTERVAL_MS;
    window.restart(uptime_ms);
    const topics = [
      `gs1/${network}/+/receipt/${meter}`,
      meterTopic(network, "ack", meter),
      meterTopic(network, "command", meter),
    ];
    effects.push({ kind: "subscribe", connection, topics });
  }

  function published(connection: number, id: number, uptime_ms: number): void {
    if (!isOpen(connection)) return;
    link.proved();
    if (pausedUntil_ms - uptime_ms <= BLOCKED_MS) pausedUntil_ms = 0;
    if (id === birthPacketId) birthPacketId = 0;
    window.acknowledged(id, uptime_ms);
  }

  /** The transport is full: what it did not take is offered again after the next acknowledgement, or a second. */
  function blocked(connection: number, id: number, uptime_ms: number): void {
    if (!isOpen(connection)) return;
    pausedUntil_ms = Math.max(pausedUntil_ms, uptime_ms + BLOCKED_MS);
    if (id === birthPacketId) {
      birthPacketId = 0;
      birthDue = true;
      birthAt_ms = uptime_ms - BIRTH_INTERVAL_MS;
    }
    window.undone(id, uptime_ms);
  }

  function lose(connection: number, reason: string, uptime_ms: number): void {
    if (!link.lost(connection, uptime_ms)) return;
    counters.disconnections += 1;
    closedBecause = reason;
  }

  function refused(refusal: Refusal, uptime_ms: number): void {
    const answer = window.refused(refusal, uptime_ms);
    if (answer === "birth") birthDue = true;
    if (answer === "pause") pausedUntil_ms = uptime_ms + Math.ceil(BUSY_PAUSE_MS * (0.5 + random()));
  }

  /** Gives up connections that do not come about, do not acknowledge, or lead to nodes that do not seal. */
  function watch(uptime_ms: number, effects: UplinkEffect[]): void {
    const reason = whyGiveUp(uptime_ms);
    if (reason === undefined || link.state.kind === "waiting") return;
    const { connection } = link.state;
    effects.push({ kind: "close", connection });
    lose(connection, reason, uptime_ms);
  }

  function whyGiveUp(uptime_ms: number): string | undefined {
    const { state } = link;
    if (state.kind === "connecting") return uptime_ms >= state.until_ms ? "broker did not answer in time" : undefined;
    if (state.kind !== "connected") return undefined;
    if (window.travelling.some((record) => isUnacknowledged(record) && uptime_ms >= record.due_ms)) {
      return "broker does not acknowledge";
    }
    return uptime_ms >= stalledAt_ms() ? "nothing is sealed by way of this broker" : undefined;
  }

  function oldestSince_ms(): number {
    return window.travelling.reduce(
      (oldest_ms, record) => Math.min(oldest_ms, record.since_ms),
      Number.POSITIVE_INFINITY,
    );
  }

  /** When another broker is worth trying, if nothing is sealed until then. */
  function stalledAt_ms(): number {
    if (options.brokers.length === 1) return Number.POSITIVE_INFINITY;
    return Math.max(provedAt_ms, oldestSince_ms()) + STALL_MS;
  }

  function publishWhatIsDue(uptime_ms: number, effects: UplinkEffect[]): void {
    if (link.state.kind !== "connected" || uptime_ms < pausedUntil_ms) return;
    if (birthDue && uptime_ms >= birthAt_ms + BIRTH_INTERVAL_MS) {
      birthDue = false;
      birthAt_ms = uptime_ms;
      birthPacketId = nextPacketId();
      publish(meterTopic(network, "birth", meter), credential, birthPacketId, false, effects);
    }
    for (let count = 0; count < PUBLICATIONS_A_STEP_MAX; count += 1) {
      const next = window.take(uptime_ms);
      if (next === undefined) return;
      const { travelling, record } = next;
      const duplicate = travelling.interrupted;
      if (!duplicate) travelling.packetId = nextPacketId();
      travelling.interrupted = false;
      travelling.due_ms = uptime_ms + ACKNOWLEDGEMENT_TIMEOUT_MS;
      if (travelling.published) counters.republished += 1;
      else counters.published += 1;
      travelling.published = true;
      travelling.publications += 1;
      publish(
        serviceTopic(network, travelling.service, "record", meter),
        record,
        travelling.packetId,
        duplicate,
        effects,
      );
    }
  }

  function publish(topic: string, payload: Uint8Array, id: number, duplicate: boolean, effects: UplinkEffect[]): void {
    if (link.state.kind !== "connected") return;
    effects.push({ kind: "publish", connection: link.state.connection, packetId: id, topic, payload, duplicate });
  }

  /** Ids 1 to 65535 in turn, those in use left out (MQTT 3.1.1, 2.3.1). */
  function nextPacketId(): number {
    do packetId = (packetId % 65_535) + 1;
    while (packetId === birthPacketId || window.travelling.some((record) => record.packetId === packetId));
    return packetId;
  }

  function isOpen(connection: number): boolean {
    return link.state.kind === "connected" && link.state.connection === connection;
  }

  function session(url: string): MqttOptions {
    const will = { topic: meterTopic(network, "death", meter), payload: noBytes };
    return { url, clientId: meter, keepAlive_s: KEEP_ALIVE_S, will };
  }
}

function isUnacknowledged(record: Travelling): boolean {
  return record.packetId !== 0 && !record.interrupted;
}

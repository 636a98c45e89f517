// The meter's MQTT session (3.1.1, QoS 1, clean): birth first, then the outbox, oldest first, within the window. A state machine: inputs
// and uptime in, effects out. link.ts has the connection, window.ts the records on their way.

import type { MqttOptions } from "../host.js";
import type { Refusal, RefusalReason } from "../wire/refusal.js";
import { meterTopic, serviceTopic } from "../wire/topics.js";
import { createLink, type Link, type LinkState } from "./link.js";
import type { Outbox } from "./outbox.js";
import { Patience } from "./patience.js";
import type { Travelling } from "./travelling.js";
import { createWindow, type Window } from "./window.js";

/** A broker that has not acknowledged a publication by then is gone, whatever its socket says. */
export const ACKNOWLEDGEMENT_TIMEOUT_MS = 30_000;
/** The birth is not repeated faster than this, however often nodes ask. */
export const BIRTH_INTERVAL_MS = 5_000;
/** A full transport is tried again after this where no acknowledgement comes first. */
const BLOCKED_MS = 1_000;
/** A step holds so many records in memory at once; where more may go, the next step comes at once. */
const PUBLICATIONS_A_STEP_MAX = 4;
const KEEP_ALIVE_S = 30;
const noBytes = new Uint8Array(0);

export type UplinkInput =
  | { readonly kind: "wake" }
  /** `isStranger`: no token was shown, as the meter does not know the time: it asks for that alone */
  | { readonly kind: "connected"; readonly connection: number; readonly isStranger?: boolean }
  | { readonly kind: "published"; readonly connection: number; readonly packetId: number }
  | { readonly kind: "blocked"; readonly connection: number; readonly packetId: number }
  | { readonly kind: "closed"; readonly connection: number; readonly reason: string }
  /** a node has told the time: the meter connects again, with a token */
  | { readonly kind: "timed" }
  | { readonly kind: "sealed"; readonly recordHash: Uint8Array }
  | { readonly kind: "deferred"; readonly recordHash: Uint8Array }
  | { readonly kind: "proved"; readonly service: number }
  | { readonly kind: "unproved"; readonly service: number }
  /** a receipt came whose members the meter does not know: it is to be shown them, and to get the receipt again */
  | { readonly kind: "unproven"; readonly recordHash: Uint8Array }
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
  /** of those that wait, the records whose receipts are here and not checked yet */
  readonly deferred: number;
  readonly connections: number;
  readonly disconnections: number;
}

export interface Uplink {
  step(input: UplinkInput, uptime_ms: number): UplinkEffect[];
  readonly link: LinkState;
  /** why the last connection ended; undefined while there is one, or before the first */
  readonly closedBecause: string | undefined;
  /** whether the meter left the last broker because of its waiting records */
  readonly hasLeft: boolean;
  /** the broker that it is connected to, or was or will be */
  readonly broker: string;
  /** why the record was refused that has waited longest of those that were */
  readonly refusedAs: RefusalReason | undefined;
  /** whether a record of this hash and service is on its way and has no verified receipt yet */
  expects(recordHash: Uint8Array, service: number): boolean;
  /** whether deferred receipts are to be checked now */
  readonly isPressed: boolean;
  /** how long the oldest record without a receipt has waited, whatever keeps it */
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
  return new MqttUplink(options);
}

/** A class where closures would do: XS keeps a method once, in ROM, but a closure with all that it uses in RAM. */
class MqttUplink implements Uplink {
  private readonly network: string;
  private readonly meter: string;
  private readonly credential: Uint8Array;
  private readonly random: () => number;
  private readonly outbox: Outbox;
  private readonly connection: Link;
  private readonly window: Window;
  private readonly patience: Patience;
  private readonly counts = { published: 0, republished: 0, sealed: 0, connections: 0, disconnections: 0 };
  private packetId = 0;
  private birthPacketId = 0;
  private birthAt_ms = 0;
  private birthDue = false;
  /** whether the last step published all that it may, and more may be due */
  private hasMore = false;
  private isStranger = false;
  /** nothing is published before */
  private pausedUntil_ms = 0;
  private lostBecause: string | undefined = undefined;
  private left = false;

  constructor({ brokers, network, meter, credential, outbox, random }: UplinkOptions) {
    this.network = network;
    this.meter = meter;
    this.credential = credential;
    this.random = random;
    this.outbox = outbox;
    this.connection = createLink(brokers, random);
    this.window = createWindow(outbox, random);
    this.patience = new Patience(brokers.length);
  }

  get link(): LinkState {
    return this.connection.state;
  }

  get closedBecause(): string | undefined {
    return this.lostBecause;
  }

  get hasLeft(): boolean {
    return this.left;
  }

  get broker(): string {
    return this.connection.broker;
  }

  get refusedAs(): RefusalReason | undefined {
    return this.window.refusedAs;
  }

  get counters(): UplinkCounters {
    return { ...this.counts, ...this.window.counters };
  }

  step(input: UplinkInput, uptime_ms: number): UplinkEffect[] {
    const effects: UplinkEffect[] = [];
    this.window.look(uptime_ms);
    this.take(input, uptime_ms, effects);
    this.watch(uptime_ms, effects);
    const begun = this.connection.begin(uptime_ms);
    if (begun !== undefined)
      effects.push({ kind: "connect", connection: begun.connection, options: this.session(begun.url) });
    this.publishWhatIsDue(uptime_ms, effects);
    return effects;
  }

  expects(recordHash: Uint8Array, service: number): boolean {
    return this.window.expects(recordHash, service);
  }

  get isPressed(): boolean {
    return this.window.isPressed;
  }

  oldestWait_ms(uptime_ms: number): number {
    return Math.max(0, uptime_ms - this.window.oldestSince_ms);
  }

  wakeAt_ms(uptime_ms: number): number {
    if (this.link.kind !== "connected") return this.link.until_ms;
    if (this.isStranger) {
      const { pausedUntil_ms } = this;
      const asksAt_ms = this.birthDue && pausedUntil_ms > uptime_ms ? pausedUntil_ms : Number.POSITIVE_INFINITY;
      return Math.min(asksAt_ms, this.link.since_ms + ACKNOWLEDGEMENT_TIMEOUT_MS);
    }
    const stalledAt_ms = this.patience.endsAt_ms(this.window.oldestSince_ms);
    if (uptime_ms < this.pausedUntil_ms) return Math.min(this.pausedUntil_ms, stalledAt_ms);
    if (this.hasMore) return uptime_ms;
    const deadline_ms = Math.min(this.window.nextDue_ms(), stalledAt_ms);
    return this.birthDue ? Math.min(deadline_ms, this.birthAt_ms + BIRTH_INTERVAL_MS) : deadline_ms;
  }

  private take(input: UplinkInput, uptime_ms: number, effects: UplinkEffect[]): void {
    switch (input.kind) {
      case "wake":
        return;
      case "connected":
        this.isStranger = input.isStranger === true;
        this.connected(input.connection, uptime_ms, effects);
        return;
      case "published":
        this.published(input.connection, input.packetId, uptime_ms);
        return;
      case "blocked":
        this.blocked(input.connection, input.packetId, uptime_ms);
        return;
      case "closed":
        this.lose(input.connection, input.reason, uptime_ms);
        return;
      case "timed":
        if (this.isStranger) this.giveUp("the time is known", uptime_ms, effects);
        return;
      case "sealed":
        this.letGo(this.window.oldestSince_ms, this.window.sealed(input.recordHash));
        return;
      case "deferred":
        this.window.deferred(input.recordHash);
        return;
      case "proved":
        while (this.letGo(this.window.oldestSince_ms, this.window.proved(input.service)));
        return;
      case "unproved":
        this.window.unproved(input.service, uptime_ms);
        return;
      case "unproven":
        if (this.window.askAgain(input.recordHash, uptime_ms)) this.birthDue = true;
        return;
      case "refused":
        this.refused(input.refusal, uptime_ms);
        return;
      case "diagnosis":
        if (this.link.kind !== "connected" || this.isStranger || uptime_ms < this.pausedUntil_ms) return;
        this.publish(meterTopic(this.network, "diag", this.meter), input.payload, this.nextPacketId(), false, effects);
    }
  }

  private connected(connection: number, uptime_ms: number, effects: UplinkEffect[]): void {
    if (!this.connection.connected(connection, uptime_ms)) return;
    this.counts.connections += 1;
    this.lostBecause = undefined;
    this.left = false;
    this.patience.connected(uptime_ms, this.outbox.backlog);
    this.pausedUntil_ms = 0;
    this.birthDue = true;
    this.birthAt_ms = uptime_ms - BIRTH_INTERVAL_MS;
    this.window.restart(uptime_ms);
    if (this.isStranger) {
      effects.push({ kind: "subscribe", connection, topics: [meterTopic(this.network, "time", this.meter)] });
      return;
    }
    const topics = [
      `gs1/${this.network}/+/receipt/${this.meter}`,
      `gs1/${this.network}/+/members/${this.meter}`,
      meterTopic(this.network, "ack", this.meter),
      meterTopic(this.network, "command", this.meter),
    ];
    effects.push({ kind: "subscribe", connection, topics });
  }

  private published(connection: number, id: number, uptime_ms: number): void {
    if (!this.isOpen(connection)) return;
    this.connection.proved();
    if (this.pausedUntil_ms - uptime_ms <= BLOCKED_MS) this.pausedUntil_ms = 0;
    if (id === this.birthPacketId) this.birthPacketId = 0;
    this.window.acknowledged(id, uptime_ms);
  }

  /** The transport is full: what it did not take is offered again after the next acknowledgement, or a second. */
  private blocked(connection: number, id: number, uptime_ms: number): void {
    if (!this.isOpen(connection)) return;
    this.pausedUntil_ms = Math.max(this.pausedUntil_ms, uptime_ms + BLOCKED_MS);
    if (id === this.birthPacketId) {
      this.birthPacketId = 0;
      this.birthDue = true;
      this.birthAt_ms = uptime_ms - BIRTH_INTERVAL_MS;
    }
    const record = this.window.undone(id, uptime_ms);
    if (record !== undefined) this.count(record, -1);
  }

  /** Counts a publication of a record, or takes it back. */
  private count({ sent }: Travelling, publications: 1 | -1): void {
    if (sent > 0) this.counts.republished += publications;
    else this.counts.published += publications;
  }

  private lose(connection: number, reason: string, uptime_ms: number): void {
    if (!this.connection.lost(connection, uptime_ms)) return;
    this.counts.disconnections += 1;
    this.lostBecause = reason;
    this.left = false;
  }

  /** Counts a record that has left the window, if one has. */
  private letGo(oldestSince_ms: number, record: Travelling | undefined): boolean {
    if (record === undefined) return false;
    this.counts.sealed += 1;
    if (record.since_ms <= oldestSince_ms) this.patience.rewarded();
    return true;
  }

  private refused(refusal: Refusal, uptime_ms: number): void {
    switch (this.window.refused(refusal, uptime_ms)) {
      case "birth":
        this.birthDue = true;
        return;
      case "pause":
        this.pausedUntil_ms = Math.max(this.pausedUntil_ms, uptime_ms + this.patience.pause_ms(this.random()));
        return;
      case "leave":
        this.patience.refused();
        return;
      case "none":
    }
  }

  /** Gives up connections that do not come about, do not acknowledge, or lead to nodes that do not seal. */
  private watch(uptime_ms: number, effects: UplinkEffect[]): void {
    if (this.link.kind === "waiting") return;
    const broken = this.whyGiveUp(uptime_ms);
    const reason = broken ?? this.whyLeave(uptime_ms);
    if (reason === undefined) return;
    this.giveUp(reason, uptime_ms, effects);
    if (broken !== undefined) return;
    this.patience.left();
    this.left = true;
  }

  private giveUp(reason: string, uptime_ms: number, effects: UplinkEffect[]): void {
    if (this.link.kind === "waiting") return;
    const { connection } = this.link;
    effects.push({ kind: "close", connection });
    this.lose(connection, reason, uptime_ms);
  }

  private whyLeave(uptime_ms: number): string | undefined {
    if (this.link.kind !== "connected" || this.isStranger) return undefined;
    return this.patience.endedBecause(uptime_ms, this.window.oldestSince_ms, this.outbox.backlog);
  }

  private whyGiveUp(uptime_ms: number): string | undefined {
    const { link: state } = this;
    if (state.kind === "connecting") return uptime_ms >= state.until_ms ? "broker did not answer in time" : undefined;
    if (state.kind !== "connected") return undefined;
    if (this.isStranger && uptime_ms - state.since_ms >= ACKNOWLEDGEMENT_TIMEOUT_MS) return "no node tells the time";
    if (this.window.travelling.some((record) => isUnacknowledged(record) && uptime_ms >= record.due_ms)) {
      return "broker does not acknowledge";
    }
    return undefined;
  }

  private publishWhatIsDue(uptime_ms: number, effects: UplinkEffect[]): void {
    this.hasMore = false;
    if (this.link.kind !== "connected" || uptime_ms < this.pausedUntil_ms) return;
    if (this.birthDue && uptime_ms >= this.birthAt_ms + BIRTH_INTERVAL_MS) {
      this.birthDue = false;
      this.birthAt_ms = uptime_ms;
      this.birthPacketId = this.nextPacketId();
      this.publish(meterTopic(this.network, "birth", this.meter), this.credential, this.birthPacketId, false, effects);
    }
    if (this.isStranger) return;
    for (let count = 0; count < PUBLICATIONS_A_STEP_MAX; count += 1) {
      const next = this.window.take(uptime_ms);
      if (next === undefined) return;
      const { travelling, record } = next;
      const duplicate = travelling.interrupted;
      if (!duplicate) travelling.packetId = this.nextPacketId();
      travelling.interrupted = false;
      travelling.due_ms = uptime_ms + ACKNOWLEDGEMENT_TIMEOUT_MS;
      this.count(travelling, 1);
      travelling.publications += 1;
      travelling.sent += 1;
      this.publish(
        serviceTopic(this.network, travelling.service, "record", this.meter),
        record,
        travelling.packetId,
        duplicate,
        effects,
      );
    }
    this.hasMore = true;
  }

  private publish(topic: string, payload: Uint8Array, id: number, duplicate: boolean, effects: UplinkEffect[]): void {
    if (this.link.kind !== "connected") return;
    effects.push({ kind: "publish", connection: this.link.connection, packetId: id, topic, payload, duplicate });
  }

  /** Ids 1 to 65535 in turn, those in use left out (MQTT 3.1.1, 2.3.1). */
  private nextPacketId(): number {
    do this.packetId = (this.packetId % 65_535) + 1;
    while (
      this.packetId === this.birthPacketId ||
      this.window.travelling.some((record) => record.packetId === this.packetId)
    );
    return this.packetId;
  }

  private isOpen(connection: number): boolean {
    return this.link.kind === "connected" && this.link.connection === connection;
  }

  private session(url: string): MqttOptions {
    const will = { topic: meterTopic(this.network, "death", this.meter), payload: noBytes };
    return { url, clientId: this.meter, keepAlive_s: KEEP_ALIVE_S, will };
  }
}

function isUnacknowledged(record: Travelling): boolean {
  return record.packetId !== 0 && !record.interrupted;
}

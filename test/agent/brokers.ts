// A meter's uplink and the brokers that it knows, honest ones and others, in virtual time, and the chain that their nodes seal into: it
// closes a gap when a number 1,024 above it is sealed, as section 12 of PROTOCOL.md says.

import assert from "node:assert/strict";
import { type State, stateOf } from "../../src/agent/health.js";
import { openOutbox } from "../../src/agent/outbox.js";
import { createUplink, type UplinkEffect, type UplinkInput } from "../../src/agent/uplink.js";
import type { RefusalReason } from "../../src/wire/refusal.js";
import { sha256 } from "../../tools/firmware/sealer.js";
import { simulatedStores } from "./norFlash.js";

const TICK_MS = 250;
const CLOSED_BEHIND = 1_024;
/** from publish to receipt by way of an honest broker */
const SEAL_MS = 1_200;

export interface Offered {
  readonly service: number;
  readonly seq: number;
  readonly hash: Uint8Array;
}

/** What a broker, or the node behind it, does with a record. */
export interface Treatment {
  /** false: no PUBACK */
  readonly acknowledges?: boolean;
  /** after so long the record is sealed and its receipt comes; undefined: never */
  readonly seals_ms?: number;
  /** refusals that name the record come at once, these */
  readonly refusals?: readonly RefusalReason[];
}

export interface Broker {
  onRecord(record: Offered, now_ms: number): Treatment;
  /** Asked four times a second for refusals that come unasked. */
  unasked?(now_ms: number): readonly RefusalReason[];
}

export const honest: Broker = { onRecord: () => ({ seals_ms: SEAL_MS }) };

export interface Life {
  readonly brokers: readonly Broker[];
  readonly services?: number;
  readonly interval_ms?: number;
}

export function createLife({ brokers, services = 1, interval_ms = 1_000 }: Life) {
  const { flash, keyValue } = simulatedStores(256 * 4096, 4096);
  const outbox = openOutbox({ flash, keyValue, recordHash: sha256 });
  const urls = brokers.map((_, index) => `mqtt://${index}`);
  const uplink = createUplink({
    brokers: urls,
    network: "net",
    meter: "0123456789abcdef",
    credential: Uint8Array.of(9),
    outbox,
    random: () => 0.5,
  });
  let now_ms = 0;
  let madeAt_ms = 0;
  let isMetering = true;
  let home = -1;
  const agenda: { readonly at_ms: number; readonly act: () => void }[] = [];
  /** by name: when it was made, and when sealed */
  const made = new Map<string, number>();
  const sealed = new Map<string, number>();
  const high = new Map<number, number>();
  const gaps: string[] = [];
  const states: State[] = [];
  const homes: number[] = [];
  let offers = 0;

  const after = (delay_ms: number, act: () => void) => void agenda.push({ at_ms: now_ms + delay_ms, act });
  const feed = (input: UplinkInput): void => {
    for (const effect of uplink.step(input, now_ms)) perform(effect);
  };
  const refuse = (record: Offered | undefined, reason: RefusalReason) =>
    feed({
      kind: "refused",
      refusal: { service: record?.service, seq: record?.seq, recordHash: record?.hash, reason, sentence: "no" },
    });

  const seal = ({ service, seq }: Offered): void => {
    if (gaps.includes(`${service}/${seq}`)) return;
    sealed.set(`${service}/${seq}`, now_ms);
    const top = Math.max(high.get(service) ?? -1, seq);
    high.set(service, top);
    for (let low = top - CLOSED_BEHIND - 1; low >= 0 && low > top - CLOSED_BEHIND - 64; low -= 1) {
      const name = `${service}/${low}`;
      if (!sealed.has(name) && !gaps.includes(name)) gaps.push(name);
    }
  };

  function perform(effect: UplinkEffect): void {
    if (effect.kind === "close") home = -1;
    if (effect.kind === "connect") {
      const { connection } = effect;
      const index = urls.indexOf(effect.options.url);
      after(50, () => {
        home = index;
        homes.push(index);
        feed({ kind: "connected", connection });
      });
    }
    if (effect.kind !== "publish") return;
    const { connection, packetId, topic, payload } = effect;
    const broker = brokers[home]!;
    const at = home;
    const isHere = () => uplink.link.kind === "connected" && uplink.link.connection === connection && home === at;
    const puback = () => isHere() && feed({ kind: "published", connection, packetId });
    if (!topic.includes("/record/")) return after(20, puback);
    const view = new DataView(payload.buffer, payload.byteOffset);
    const record = { service: view.getUint32(0), seq: view.getUint32(4), hash: sha256(payload) };
    offers += 1;
    const { acknowledges = true, seals_ms, refusals = [] } = broker.onRecord(record, now_ms);
    for (const reason of refusals) after(20, () => isHere() && refuse(record, reason));
    if (acknowledges) after(20, puback);
    if (seals_ms === undefined) return;
    after(seals_ms, () => {
      seal(record);
      if (isHere()) feed({ kind: "sealed", recordHash: record.hash });
    });
  }

  const make = (service: number): void => {
    const { seq } = outbox.chain(service);
    const record = new Uint8Array(60);
    const view = new DataView(record.buffer);
    view.setUint32(0, service);
    view.setUint32(4, seq);
    assert.equal(outbox.append(service, seq, record, sha256(record)), undefined, "the outbox has room");
    made.set(`${service}/${seq}`, now_ms);
  };

  const state = (): State =>
    stateOf({
      uptime_ms: now_ms,
      hasCredential: true,
      lastBytes_ms: now_ms,
      lastFrame_ms: now_ms,
      frameInterval_ms: 0,
      badFrames: 0,
      link: uplink.link,
      closedBecause: uplink.closedBecause,
      hasLeft: uplink.hasLeft,
      oldestWait_ms: uplink.oldestWait_ms(now_ms),
      refusedAs: uplink.refusedAs,
      barredAs: undefined,
    });

  const tick = (): void => {
    now_ms += TICK_MS;
    if (isMetering && now_ms - madeAt_ms >= interval_ms) {
      madeAt_ms = now_ms;
      for (let service = 1; service <= services; service += 1) make(service);
    }
    for (const reason of brokers[home]?.unasked?.(now_ms) ?? []) refuse(undefined, reason);
    feed({ kind: "wake" });
    for (let steps = 0; uplink.wakeAt_ms(now_ms) <= now_ms; steps += 1) {
      assert.ok(steps < 1_000, "it sleeps until something happens");
      feed({ kind: "wake" });
    }
    for (let next = due(); next !== undefined; next = due()) next.act();
    const current = state();
    if (states[states.length - 1] !== current) states.push(current);
  };

  const due = () => {
    const index = agenda.findIndex(({ at_ms }) => at_ms <= now_ms);
    return index < 0 ? undefined : agenda.splice(index, 1)[0];
  };

  return {
    outbox,
    uplink,
    gaps,
    states,
    /** broker after broker that it was connected to */
    homes,
    sealed,
    made,
    state,
    get offers() {
      return offers;
    },
    setMetering(on: boolean) {
      isMetering = on;
    },
    run(seconds: number): void {
      for (const end_ms = now_ms + seconds * 1_000; now_ms < end_ms; ) tick();
    },
    /** The age of the oldest record that is not sealed. */
    oldest_s(): number {
      for (const [name, at_ms] of made) if (!sealed.has(name)) return (now_ms - at_ms) / 1_000;
      return 0;
    },
    /** The longest that a sealed one has waited. */
    longest_s(): number {
      return Math.max(0, ...[...sealed].map(([name, at_ms]) => at_ms - made.get(name)!)) / 1_000;
    },
    highest: (service: number) => high.get(service) ?? -1,
  };
}

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CONNECT_TIMEOUT_MS } from "../../src/agent/link.js";
import { type Outbox, openOutbox } from "../../src/agent/outbox.js";
import { BUSY_PAUSE_MS, STALL_MS } from "../../src/agent/patience.js";
import { INTRODUCTION_WAIT_MS, PARKED_MS, RECEIPT_WAIT_MS } from "../../src/agent/travelling.js";
import {
  ACKNOWLEDGEMENT_TIMEOUT_MS,
  BIRTH_INTERVAL_MS,
  createUplink,
  type Uplink,
  type UplinkEffect,
  type UplinkInput,
} from "../../src/agent/uplink.js";
import { BURST, BURST_WAIT_MS, SPAN_MAX, UNACKNOWLEDGED_BYTES_MAX, WINDOW_MAX } from "../../src/agent/window.js";
import type { RefusalReason } from "../../src/wire/refusal.js";
import { sha256 } from "../../tools/firmware/sealer.js";
import { simulatedStores } from "./norFlash.js";

type Publish = Extract<UplinkEffect, { kind: "publish" }>;

const meter = "0123456789abcdef";
const credential = Uint8Array.of(9, 9);

/** An uplink whose outbox holds so many records of service 1, each of `length` bytes that begin with its seq. */
function bench(records: number, { brokers = ["mqtt://a"], length = 50 } = {}) {
  const { flash, keyValue } = simulatedStores(64 * 4096, 4096);
  const outbox = openOutbox({ flash, keyValue, recordHash: sha256 });
  const add = (): void => {
    const { seq } = outbox.chain(1);
    const record = new Uint8Array(length);
    new DataView(record.buffer).setUint32(0, seq);
    assert.equal(outbox.append(1, seq, record, sha256(record)), undefined);
  };
  for (let index = 0; index < records; index += 1) add();
  const uplink = createUplink({ brokers, network: "net", meter, credential, outbox, random: () => 0.5 });
  let now_ms = 0;
  return {
    outbox,
    uplink,
    add,
    at(uptime_ms: number, input: UplinkInput = { kind: "wake" }): UplinkEffect[] {
      assert.ok(uptime_ms >= now_ms);
      now_ms = uptime_ms;
      return uplink.step(input, uptime_ms);
    },
    /** Connected at 0: the effects of CONNACK. */
    connect(): UplinkEffect[] {
      const [effect] = uplink.step({ kind: "wake" }, 0);
      assert.equal(effect?.kind, "connect");
      return uplink.step({ kind: "connected", connection: connectionOf(uplink) }, 0);
    },
  };
}

function connectionOf(uplink: Uplink): number {
  if (uplink.link.kind === "waiting") return assert.fail("there is a connection");
  return uplink.link.connection;
}

const publishes = (effects: readonly UplinkEffect[]): Publish[] =>
  effects.filter((effect) => effect.kind === "publish");
const records = (effects: readonly UplinkEffect[]): Publish[] =>
  publishes(effects).filter(({ topic }) => topic.includes("/record/"));
const seqs = (effects: readonly UplinkEffect[]): number[] =>
  records(effects).map(({ payload }) => new DataView(payload.buffer, payload.byteOffset).getUint32(0));
const published = ({ connection, packetId }: Publish): UplinkInput => ({ kind: "published", connection, packetId });
const refused = (publish: Publish, reason: RefusalReason): UplinkInput => ({
  kind: "refused",
  refusal: { service: 1, seq: undefined, recordHash: sha256(publish.payload), reason, sentence: "no" },
});
const waiting = (outbox: Outbox): number => outbox.counters.waiting;

describe("uplink", () => {
  test("subscribes, publishes its birth, then its records, oldest first", () => {
    const { connect, uplink } = bench(3);
    const effects = connect();
    assert.deepEqual(
      effects.map((effect) => (effect.kind === "publish" ? effect.topic : effect.kind)),
      ["subscribe", `gs1/net/-/birth/${meter}`, ...Array(3).fill(`gs1/net/1/record/${meter}`)],
    );
    const [subscribe, birth] = effects;
    assert.deepEqual(subscribe?.kind === "subscribe" && subscribe.topics, [
      `gs1/net/+/receipt/${meter}`,
      `gs1/net/+/members/${meter}`,
      `gs1/net/-/ack/${meter}`,
      `gs1/net/-/command/${meter}`,
    ]);
    assert.deepEqual(birth?.kind === "publish" && birth.payload, credential);
    assert.deepEqual(seqs(effects), [0, 1, 2]);
    assert.equal(new Set(publishes(effects).map(({ packetId }) => packetId)).size, 4);
    assert.equal(uplink.counters.published, 3);
  });

  test("leaves its death as the will", () => {
    const [connect] = bench(0).at(0);
    assert.ok(connect?.kind === "connect");
    assert.equal(connect.options.will?.topic, `gs1/net/-/death/${meter}`);
    assert.equal(connect.options.clientId, meter);
  });

  test("lets go of a record on its verified receipt alone", () => {
    const { connect, at, outbox } = bench(2);
    const [first, second] = records(connect());
    at(10, published(first!));
    assert.equal(waiting(outbox), 2);
    at(20, { kind: "sealed", recordHash: sha256(first!.payload) });
    at(21, { kind: "sealed", recordHash: sha256(first!.payload) });
    at(22, { kind: "sealed", recordHash: new Uint8Array(32) });
    assert.equal(waiting(outbox), 1);
    at(23, { kind: "sealed", recordHash: sha256(second!.payload) });
    assert.equal(waiting(outbox), 0, "also before the broker has acknowledged it");
  });

  test("asks for a missing receipt by publishing the record again, ever more seldom", () => {
    const { connect, at, uplink } = bench(1);
    let [publish] = records(connect());
    let now_ms = 0;
    for (const wait_ms of [1, 2, 4, 8, 16, 30, 30].map((factor) => factor * RECEIPT_WAIT_MS)) {
      at(now_ms, published(publish!));
      assert.equal(uplink.wakeAt_ms(now_ms), now_ms + wait_ms);
      assert.deepEqual(records(at(now_ms + wait_ms - 1)), []);
      now_ms += wait_ms;
      const again = records(at(now_ms));
      assert.equal(again.length, 1);
      assert.equal(again[0]!.duplicate, false, "a new publication, not a resent one");
      publish = again[0];
    }
  });

  test("resends what the broker had not acknowledged as duplicates, and asks for the other receipts anew", () => {
    const { connect, at, uplink } = bench(3);
    const [first, second, third] = records(connect());
    at(10, published(second!));
    at(20, { kind: "closed", connection: first!.connection, reason: "reset" });
    assert.deepEqual([uplink.link.kind, uplink.closedBecause], ["waiting", "reset"]);
    at(uplink.wakeAt_ms(20));
    const again = records(at(2000, { kind: "connected", connection: connectionOf(uplink) }));
    assert.deepEqual(seqs(again), [0, 1, 2]);
    assert.deepEqual(
      again.map(({ duplicate, packetId }) => duplicate && packetId),
      [first!.packetId, false, third!.packetId],
    );
    assert.equal(uplink.closedBecause, undefined);
  });

  test("has no more records on their way than the window, and no more bytes than the broker has to acknowledge", () => {
    const many = bench(WINDOW_MAX + 20);
    const seen: number[] = [];
    let effects = many.connect();
    for (let now_ms = 1; publishes(effects).length > 0; now_ms += 1) {
      seen.push(...seqs(effects));
      const acknowledged = publishes(effects).map(published);
      effects = acknowledged.flatMap((input) => many.at(now_ms, input));
    }
    assert.deepEqual(
      seen,
      Array.from({ length: WINDOW_MAX }, (_, seq) => seq),
    );
    const large = bench(10, { length: 3000 });
    assert.equal(records(large.connect()).length, Math.floor(UNACKNOWLEDGED_BYTES_MAX / 3000));
    assert.equal(large.uplink.wakeAt_ms(0), ACKNOWLEDGEMENT_TIMEOUT_MS, "it sleeps until an acknowledgement comes");
  });

  test("publishes what may go without waiting for acknowledgements, a few records a step", () => {
    const { connect, at, uplink } = bench(WINDOW_MAX + 1);
    const steps = [seqs(connect())];
    while (uplink.wakeAt_ms(1) <= 1) steps.push(seqs(at(1)));
    assert.deepEqual(
      steps.flat(),
      Array.from({ length: WINDOW_MAX }, (_, seq) => seq),
    );
    assert(Math.max(...steps.map(({ length }) => length)) <= 4);
    assert.equal(uplink.wakeAt_ms(1), ACKNOWLEDGEMENT_TIMEOUT_MS, "it sleeps until an acknowledgement comes");
  });

  test("fills its window by halves, so that records travel together, and one by one where the others are not sealed", () => {
    const many = bench(3 * WINDOW_MAX);
    const drain = (first: UplinkEffect[], now_ms: number): Publish[] => {
      const found = records(first);
      for (let effects = first; publishes(effects).length > 0; ) {
        effects = publishes(effects).flatMap((publish) => many.at(now_ms, published(publish)));
        found.push(...records(effects));
      }
      return found;
    };
    const sealed = ({ payload }: Publish): UplinkInput => ({ kind: "sealed", recordHash: sha256(payload) });
    const sent = drain(many.connect(), 1);
    assert.equal(sent.length, WINDOW_MAX);
    for (const one of sent.slice(0, BURST - 1)) assert.deepEqual(records(many.at(2, sealed(one))), []);
    const burst = drain(many.at(3, sealed(sent[BURST - 1]!)), 3);
    assert.deepEqual(
      seqs(burst),
      Array.from({ length: BURST }, (_, index) => WINDOW_MAX + index),
    );
    assert.deepEqual(records(many.at(4, sealed(burst[0]!))), []);
    assert.equal(many.uplink.wakeAt_ms(4), 3 + BURST_WAIT_MS, "it wakes to fill the place");
    assert.equal(drain(many.at(4 + BURST_WAIT_MS), 4 + BURST_WAIT_MS).length, 1);
  });

  test("does not run ahead of a record that is not sealed so far that nodes would close its gap", () => {
    const many = bench(2 * SPAN_MAX);
    const sealed = ({ payload }: Publish): UplinkInput => ({ kind: "sealed", recordHash: sha256(payload) });
    let now_ms = 0;
    let newest = -1;
    const withheld: Publish[] = [];
    /** The broker acknowledges it all, and all but record 0 is sealed, until nothing more comes for a while. */
    const drain = (first: UplinkEffect[]): void => {
      for (const pending = [first]; pending.length > 0; ) {
        for (const publish of publishes(pending.shift()!)) {
          pending.push(many.at(now_ms, published(publish)));
          const [seq] = seqs([publish]);
          newest = Math.max(newest, seq ?? -1);
          if (seq === 0) withheld.push(publish);
          else if (seq !== undefined) pending.push(many.at(now_ms, sealed(publish)));
        }
        if (pending.length > 0 || many.uplink.wakeAt_ms(now_ms) > now_ms + BURST_WAIT_MS) continue;
        now_ms = many.uplink.wakeAt_ms(now_ms);
        pending.push(many.at(now_ms));
      }
    };
    drain(many.connect());
    assert(newest >= SPAN_MAX && newest < SPAN_MAX + WINDOW_MAX, `${newest}`);
    assert(many.uplink.wakeAt_ms(now_ms) > now_ms, "it sleeps");
    drain(many.at(now_ms, sealed(withheld[0]!)));
    assert.equal(waiting(many.outbox), 0);
  });

  test("offers a record again soon to a node that has not heard of the meter yet, then ever more seldom", () => {
    const { connect, at, uplink } = bench(1);
    let [record] = records(connect());
    let now_ms = 1;
    for (const wait_ms of [1, 2, 4].map((factor) => factor * INTRODUCTION_WAIT_MS)) {
      at(now_ms, published(record!));
      at(now_ms, refused(record!, "unknown-meter"));
      now_ms += wait_ms;
      assert.deepEqual(records(at(now_ms - 1)), []);
      [record] = records(at(now_ms));
      assert(record !== undefined);
      assert(uplink.wakeAt_ms(now_ms) > now_ms);
    }
  });

  test("offers again what a full transport did not take, after the next acknowledgement or a second", () => {
    const { connect, at, uplink } = bench(3);
    const [first, ...others] = records(connect());
    for (const { connection, packetId } of others) at(5, { kind: "blocked", connection, packetId });
    assert.deepEqual(seqs(at(10)), []);
    assert.equal(uplink.wakeAt_ms(10), 1005);
    const again = at(20, published(first!));
    assert.deepEqual(seqs(again), [1, 2]);
    assert.ok(records(again).every(({ duplicate }) => !duplicate));
    for (const { connection, packetId } of records(again)) at(30, { kind: "blocked", connection, packetId });
    assert.deepEqual(uplink.counters, { ...uplink.counters, published: 1, republished: 0 }, "none of them left");
    assert.deepEqual(seqs(at(1030)), [1, 2]);
    assert.deepEqual(uplink.counters, { ...uplink.counters, published: 3, republished: 0 });
  });

  test("counts the records whose receipts are here and not checked yet", () => {
    const { connect, at, uplink, outbox } = bench(3);
    const [first, second] = records(connect());
    const counted = () => [uplink.counters.deferred, uplink.counters.sealed, waiting(outbox)];
    for (const publish of [first!, second!]) {
      at(5, published(publish));
      at(5, { kind: "deferred", recordHash: sha256(publish.payload) });
    }
    assert.deepEqual(counted(), [2, 0, 3]);
    at(7, { kind: "proved", service: 1 });
    assert.deepEqual(counted(), [0, 2, 1]);
  });

  test("offers its birth again where a full transport did not take it", () => {
    const { connect, at } = bench(0);
    const [birth] = publishes(connect());
    at(1, { kind: "blocked", connection: birth!.connection, packetId: birth!.packetId });
    assert.equal(publishes(at(1001)).length, 1);
  });

  test("gives up a connection that does not come about", () => {
    const { at, uplink } = bench(0, { brokers: ["mqtt://a", "mqtt://b"] });
    at(0);
    assert.equal(uplink.wakeAt_ms(0), CONNECT_TIMEOUT_MS);
    assert.deepEqual(at(CONNECT_TIMEOUT_MS), [{ kind: "close", connection: 1 }]);
    const [connect] = at(CONNECT_TIMEOUT_MS + 1000);
    assert.equal(connect?.kind === "connect" && connect.options.url, "mqtt://b");
    assert.deepEqual(at(CONNECT_TIMEOUT_MS + 1001, { kind: "connected", connection: 1 }), [], "too late");
  });

  test("gives up a broker that does not acknowledge", () => {
    const { connect, at, uplink } = bench(1);
    connect();
    assert.equal(uplink.wakeAt_ms(0), ACKNOWLEDGEMENT_TIMEOUT_MS);
    assert.equal(at(ACKNOWLEDGEMENT_TIMEOUT_MS)[0]?.kind, "close");
    assert.match(uplink.closedBecause!, /does not acknowledge/);
  });

  test("moves on from nodes that do not seal where another broker is named, and stays where none is", () => {
    for (const brokers of [["mqtt://a"], ["mqtt://a", "mqtt://b"]]) {
      const { connect, at, uplink } = bench(1, { brokers });
      const [record] = records(connect());
      at(1, published(record!));
      const [again] = records(at(20_000));
      at(20_001, published(again!));
      assert.equal(at(STALL_MS)[0]?.kind, brokers.length > 1 ? "close" : "publish");
      assert.equal(uplink.link.kind, brokers.length > 1 ? "waiting" : "connected");
    }
  });

  test("does not take an idle hour for nodes that do not seal", () => {
    const { connect, at, add } = bench(0, { brokers: ["mqtt://a", "mqtt://b"] });
    connect();
    add();
    assert.deepEqual(seqs(at(3_600_000)), [0]);
  });

  test("parks a refused record, goes on with the others, and tries it again later", () => {
    const { connect, at, uplink, outbox } = bench(2);
    const [first, second] = records(connect());
    at(1, published(first!));
    at(1, published(second!));
    at(2, refused(first!, "clock-far-off"));
    at(3, { kind: "sealed", recordHash: sha256(second!.payload) });
    assert.equal(waiting(outbox), 1);
    assert.equal(uplink.wakeAt_ms(3), 2 + PARKED_MS);
    assert.deepEqual(seqs(at(PARKED_MS)), []);
    assert.deepEqual(seqs(at(2 + PARKED_MS)), [0]);
  });

  test("asks soon for the members and the receipt again where a receipt is by members that it does not know", () => {
    const { connect, at } = bench(1);
    const [record] = records(connect());
    at(1, published(record!));
    at(BIRTH_INTERVAL_MS - 500, { kind: "unproven", recordHash: sha256(record!.payload) });
    const again = at(BIRTH_INTERVAL_MS - 500 + INTRODUCTION_WAIT_MS);
    assert.deepEqual(
      publishes(again).map(({ topic }) => topic.split("/")[3]),
      ["birth", "record"],
      "what it was shown is shown again after its birth",
    );
    assert.deepEqual(
      publishes(at(9_000, { kind: "unproven", recordHash: new Uint8Array(32) })),
      [],
      "of no record of its",
    );
  });

  test("answers nodes that do not know it with its birth, not more often than they can bear", () => {
    const { connect, at } = bench(1);
    const [record] = records(connect());
    at(1, published(record!));
    const births = (effects: readonly UplinkEffect[]) =>
      publishes(effects).filter(({ topic }) => topic.includes("/birth/"));
    assert.equal(births(at(2, refused(record!, "unknown-meter"))).length, 0, "the first one is on its way");
    assert.equal(births(at(BIRTH_INTERVAL_MS)).length, 1);
    assert.equal(births(at(BIRTH_INTERVAL_MS + 1, refused(record!, "unknown-meter"))).length, 0);
    assert.equal(births(at(2 * BIRTH_INTERVAL_MS)).length, 1);
  });

  test("pauses for nodes that are busy, and sleeps meanwhile", () => {
    const { connect, at, add, uplink } = bench(1);
    const [record] = records(connect());
    at(1, published(record!));
    at(2, refused(record!, "busy"));
    add();
    assert.deepEqual(publishes(at(3)), []);
    assert.equal(uplink.wakeAt_ms(3), 2 + BUSY_PAUSE_MS);
    assert.deepEqual(seqs(at(2 + BUSY_PAUSE_MS)), [1]);
  });

  test("publishes a diagnosis while connected, and drops it otherwise", () => {
    assert.deepEqual(publishes(bench(0).at(0, { kind: "diagnosis", payload: Uint8Array.of(1) })), []);
    const { connect, at } = bench(0);
    connect();
    const [diagnosis] = publishes(at(10, { kind: "diagnosis", payload: Uint8Array.of(1) }));
    assert.equal(diagnosis?.topic, `gs1/net/-/diag/${meter}`);
  });

  test("goes round the packet ids without giving one out twice", () => {
    const { connect, at, uplink } = bench(1);
    const [record] = records(connect());
    let now_ms = 1;
    for (let index = 0; index < 70_000; index += 1) {
      const [diagnosis] = publishes(at(now_ms, { kind: "diagnosis", payload: credential }));
      assert.ok(diagnosis!.packetId >= 1 && diagnosis!.packetId <= 65_535);
      assert.notEqual(diagnosis!.packetId, record!.packetId);
      now_ms += index % 100 === 0 ? 1 : 0;
    }
    assert.equal(uplink.link.kind, "connected");
  });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { createByteBudget } from "../../../../tools/node/api/byte-budget.js";
import type { EventStream } from "../../../../tools/node/api/event-stream.js";
import { bodyOf, type EventLog } from "../../../../tools/node/api/events/event-log.js";
import { SILENCE_MS, Subscriber, TAKING_MS } from "../../../../tools/node/api/events/subscriber.js";
import { createRates } from "../../../../tools/node/api/gate.js";
import type { Objection } from "../../../../tools/node/api/route.js";
import { createTurns } from "../../../../tools/node/api/turns.js";
import type { Position } from "../../../../tools/routes/events.js";
import { createEventReader } from "./event-text.js";

const ADDRESS = "192.0.2.1";

/** A subscriber of a chain of so many blocks, and a reader that takes what it is sent when it is told to. */
function createScene(blocks: number, after?: Position, read = (_height: number): number => 0) {
  const clock = { now_ms: 0 };
  const monotonic_ms = () => clock.now_ms;
  const heads = new Map([[1, blocks]]);
  const log: EventLog = {
    heads: () => heads,
    add: () => undefined,
    read: (_topic, service, height) => ({
      type: "told",
      body: bodyOf("block", { service, height, filling: "x".repeat(1_000) }),
      to: height,
      read_bytes: read(height),
    }),
  };
  const turns: (() => void)[] = [];
  const untaken: { readonly bytes: Uint8Array; readonly onTaken: () => void }[] = [];
  const reader = createEventReader();
  const reading: { objection?: Objection } = {};
  const told = { slow: 0, broken: 0, ended: false, destroyed: false };
  let onClosed: (() => void)[] = [];
  const close = () => {
    for (const callback of onClosed.splice(0)) callback();
    onClosed = [];
  };
  const stream: EventStream = {
    send: (bytes, onTaken) => void untaken.push({ bytes, onTaken }),
    onClosed: (callback) => void onClosed.push(callback),
    end: () => {
      told.ended = true;
    },
    destroy: () => {
      told.destroyed = true;
      close();
    },
  };
  const budget = createByteBudget(1_000_000, 1_000_000);
  const rates = createRates(100, monotonic_ms);
  const subscriber = new Subscriber(
    {
      ...{ log, budget, rates, monotonic_ms },
      turns: createTurns(2, { monotonic_ms, afterOthers: (run) => void turns.push(run) }),
      onSlow: () => {
        told.slow += 1;
      },
      onBroken: () => {
        told.broken += 1;
      },
    },
    stream,
    ADDRESS,
    { after, topic: "blocks", objection: () => reading.objection },
  );
  /** Lets everything happen that is due. */
  const settle = async () => {
    for (let round = 0; round < 20; round += 1) {
      for (const run of turns.splice(0)) run();
      await Promise.resolve();
    }
  };
  return {
    ...{ subscriber, clock, budget, rates, reader, reading, told, close, settle, heads },
    untaken_bytes: () => untaken.reduce((sum, { bytes }) => sum + bytes.length, 0),
    /** The reader takes everything, and what comes then, until nothing comes. */
    async take() {
      for (await settle(); untaken.length > 0; await settle()) {
        const { bytes, onTaken } = untaken.shift()!;
        reader.take(Buffer.from(bytes).toString());
        onTaken();
      }
    },
    seal() {
      heads.set(1, heads.get(1)! + 1);
      subscriber.wake();
    },
  };
}

test("a new subscriber is told what is sealed from now on, and its first id is where it stands", async () => {
  const scene = createScene(7);
  await scene.take();
  assert.deepEqual([scene.reader.events.length, scene.reader.lastId], [0, "1:7"]);
  scene.seal();
  await scene.take();
  assert.deepEqual(
    scene.reader.events.map(({ value }) => value.height),
    [8],
  );
});

test("of what a reader does not take, one piece is in memory, however much there is to tell", async () => {
  const scene = createScene(10_000, new Map());
  scene.subscriber.wake();
  for (let count = 0; count < 100; count += 1) scene.seal();
  await scene.settle();
  assert.ok(scene.untaken_bytes() < 2 * 32_768);
  assert.equal(scene.budget.held_bytes, scene.untaken_bytes());
  await scene.take();
  assert.equal(scene.reader.events.length, 10_100);
  assert.equal(scene.budget.held_bytes, 0);
});

test("who takes nothing for long is told so by name, and given up where it does not take that either", async () => {
  const scene = createScene(10_000, new Map());
  scene.subscriber.wake();
  await scene.settle();
  scene.clock.now_ms += TAKING_MS;
  scene.subscriber.look();
  assert.deepEqual(scene.told, { slow: 0, broken: 0, ended: false, destroyed: false });
  scene.clock.now_ms += 1;
  scene.subscriber.look();
  assert.deepEqual(scene.told, { slow: 1, broken: 0, ended: true, destroyed: false });
  scene.clock.now_ms += TAKING_MS + 1;
  scene.subscriber.look();
  assert.equal(scene.told.destroyed, true);
  assert.equal(scene.budget.held_bytes, 0);
  await scene.take();
  const { name, value } = scene.reader.events.at(-1)!;
  assert.deepEqual([name, value.code], ["ended", "too-slow"]);
  assert.match(String(value.remedy), /id of the last event/);
});

test("who may read no longer is sent nothing more, at the next piece, and where nothing comes at the next look", async () => {
  const objection = { type: "refused", code: "forbidden", message: "no role reads it" } as const;
  const reads = createScene(10_000, new Map());
  reads.subscriber.wake();
  await reads.settle();
  const before_bytes = reads.untaken_bytes();
  reads.reading.objection = objection;
  await reads.take();
  const { events } = reads.reader;
  assert.ok((events.length - 1) * 1_000 <= before_bytes, "what was sent before, and nothing else");
  const rests = createScene(7);
  await rests.take();
  rests.reading.objection = objection;
  rests.subscriber.look();
  await rests.take();
  for (const { reader, told } of [reads, rests]) {
    const { name, value } = reader.events.at(-1)!;
    assert.deepEqual([name, value.code, value.message], ["ended", "forbidden", "no role reads it"]);
    assert.deepEqual([told.ended, told.slow], [true, 0]);
  }
});

test("reading what was missed costs the address, and rests until it has something left", async () => {
  const scene = createScene(10_000, new Map(), () => 65_536);
  scene.subscriber.wake();
  await scene.take();
  const first = scene.reader.events.length;
  assert.ok(first >= 490 && first < 600, `${first} of 65,536 bytes each, of 500 tokens`);
  scene.subscriber.look();
  await scene.take();
  assert.equal(scene.reader.events.length, first);
  for (let round = 0; round < 200 && scene.reader.events.length < 10_000; round += 1) {
    scene.clock.now_ms += 1_000;
    scene.subscriber.look();
    await scene.take();
  }
  assert.equal(scene.reader.events.length, 10_000);
});

test("what cannot be read ends the stream with the reason, and what comes then is not told", async () => {
  const scene = createScene(3, new Map(), (height) => {
    if (height === 3) throw new Error("damaged");
    return 0;
  });
  scene.subscriber.wake();
  await scene.take();
  scene.seal();
  await scene.take();
  const { name, value } = scene.reader.events.at(-1)!;
  assert.deepEqual([name, value.code, scene.told.ended, scene.told.broken], ["ended", "damaged", true, 1]);
});

test("sends a sign of life where nothing is sealed, and nothing once it has ended", async () => {
  const scene = createScene(3);
  await scene.take();
  scene.clock.now_ms += SILENCE_MS + 1;
  scene.subscriber.look();
  assert.equal(scene.untaken_bytes(), 3);
  await scene.take();
  scene.subscriber.end("stopping", "This node stops.");
  scene.seal();
  await scene.take();
  assert.deepEqual(
    scene.reader.events.map(({ value }) => value.code),
    ["stopping"],
  );
});

test("a connection that is lost leaves nothing behind", async () => {
  const scene = createScene(10_000, new Map());
  scene.subscriber.wake();
  await scene.settle();
  scene.close();
  scene.seal();
  await scene.take();
  assert.equal(scene.budget.held_bytes, 0);
});

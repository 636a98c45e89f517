import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CHAINS_MAX, HEIGHT_MAX, SERVICE_MAX } from "../../../../src/wire/bounds.js";
import { bodyOf, type EventLog } from "../../../../tools/node/api/events/event-log.js";
import { opening, readEvents, startFollowing } from "../../../../tools/node/api/events/following.js";
import { positionOf, textOfPosition } from "../../../../tools/routes/events.js";
import { createEventReader, type TakenEvent } from "./event-text.js";

const SERVICES = [1, 2, 70];

/** Chains that grow and are pruned from their first block on. */
function createModel() {
  const heads = new Map<number, number>();
  const pruned = new Map<number, number>();
  const log: EventLog = {
    heads: () => heads,
    add: () => undefined,
    read(_topic, service, height) {
      const to = pruned.get(service) ?? 0;
      const isPruned = height <= to;
      const body = isPruned
        ? bodyOf("pruned", { service, from: height, to })
        : bodyOf("block", { service, height, filling: "x".repeat(height % 7 === 0 ? 20_000 : 5) });
      return { type: "told", body, to: isPruned ? to : height, read_bytes: 0 };
    },
  };
  return {
    log,
    seal: (service: number) => heads.set(service, (heads.get(service) ?? 0) + 1),
    prune: (service: number, part: number) => pruned.set(service, Math.floor((heads.get(service) ?? 0) * part)),
  };
}

/** The heights that were told of a chain, in the order in which they came. */
function heightsOf(events: readonly TakenEvent[], service: number): number[] {
  return events
    .filter(({ value }) => value.service === service)
    .flatMap(({ name, value }) => {
      if (name === "block") return [value.height as number];
      const from = value.from as number;
      return Array.from({ length: (value.to as number) - from + 1 }, (_, index) => from + index);
    });
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant("seal" as const), service: fc.constantFrom(...SERVICES) }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant("read" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant("cut" as const), arrived: fc.double({ min: 0, max: 1, noNaN: true }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("prune" as const),
      service: fc.constantFrom(...SERVICES),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
);

test("property: however sealing, reading, pruning and disconnecting alternate, every height is told once and in order", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), fc.boolean(), (steps, fromStart) => {
      const model = createModel();
      model.seal(1);
      const reader = createEventReader();
      let following = startFollowing(model.log.heads(), fromStart ? new Map() : undefined, "blocks");
      reader.take(String(opening(following)));
      /** sent and not yet arrived */
      let underWay = "";
      const read = () => {
        underWay += String(readEvents(following, model.log, () => 0).bytes);
      };
      for (const one of steps) {
        if (one.type === "seal") model.seal(one.service);
        else if (one.type === "prune") model.prune(one.service, one.part);
        else if (one.type === "read") read();
        else {
          // A part of it arrives before the connection is lost; the next one begins with what the reader has.
          reader.take(underWay.slice(0, Math.floor(underWay.length * one.arrived)));
          reader.lose();
          underWay = "";
          following = startFollowing(model.log.heads(), positionOf(reader.lastId!), "blocks");
          reader.take(String(opening(following)));
        }
      }
      for (let before = -1; before !== underWay.length; ) {
        before = underWay.length;
        read();
      }
      reader.take(underWay);
      for (const service of SERVICES) {
        const first = fromStart || service !== 1 ? 1 : 2;
        const head = model.log.heads().get(service) ?? 0;
        const expected = Array.from({ length: Math.max(0, head - first + 1) }, (_, index) => first + index);
        assert.deepEqual(heightsOf(reader.events, service), expected);
      }
    }),
    { numRuns: 500 },
  );
});

test("a piece ends when it is long, or when reading has taken its time", () => {
  const model = createModel();
  for (let height = 1; height <= 100; height += 1) model.seal(1);
  const after = new Map([[1, 0]]);
  let now_ms = 0;
  const slow = readEvents(startFollowing(model.log.heads(), after, "blocks"), model.log, () => now_ms++);
  assert.equal(slow.events, 1);
  const long = readEvents(startFollowing(model.log.heads(), after, "blocks"), model.log, () => 0);
  assert.ok(long.bytes.length >= 32_768 && long.bytes.length < 32_768 + 21_000);
});

test("tells of chains in turn, so that a long one does not keep the others waiting", () => {
  const model = createModel();
  for (let height = 1; height <= 50; height += 1) model.seal(1);
  model.seal(2);
  model.seal(70);
  const reader = createEventReader();
  const following = startFollowing(model.log.heads(), new Map(), "blocks");
  reader.take(String(readEvents(following, model.log, () => 0).bytes));
  assert.deepEqual(
    reader.events.slice(0, 4).map(({ value }) => value.service),
    [1, 2, 70, 1],
  );
});

test("a position beyond what this node has waits for it, and chains that it has not stay in it", () => {
  const model = createModel();
  model.seal(1);
  const following = startFollowing(model.log.heads(), positionOf("1:3,9:40"), "blocks");
  for (let height = 2; height <= 3; height += 1) model.seal(1);
  assert.equal(readEvents(following, model.log, () => 0).events, 0);
  model.seal(1);
  const reader = createEventReader();
  reader.take(String(readEvents(following, model.log, () => 0).bytes));
  assert.deepEqual(heightsOf(reader.events, 1), [4]);
  assert.equal(reader.lastId, "1:4,9:40");
});

test("a position of chains that are none here is never longer than what may be sent again", () => {
  const foreign = new Map(Array.from({ length: CHAINS_MAX }, (_, index) => [1_000 + index, 5]));
  const heads = new Map([[1, 7]]);
  const { position } = startFollowing(heads, foreign, "blocks");
  assert.equal(position.size, CHAINS_MAX);
  assert.notEqual(positionOf(textOfPosition(position)), undefined);
});

test("property: a position is read as it was written, and no other text is one", () => {
  const positions = fc.uniqueArray(
    fc.tuple(fc.integer({ min: 0, max: SERVICE_MAX }), fc.integer({ min: 0, max: HEIGHT_MAX })),
    { maxLength: CHAINS_MAX, selector: ([service]) => service },
  );
  fc.assert(
    fc.property(positions, (entries) => {
      assert.deepEqual(positionOf(textOfPosition(new Map(entries))), new Map(entries));
    }),
  );
  const none = ["x", "1", "1:", ":1", "1:2,", "1:2,1:3", "1:2;2:3", "65536:1", `1:${HEIGHT_MAX + 1}`, "1:-1", " 1:1"];
  for (const text of [...none, Array.from({ length: CHAINS_MAX + 1 }, (_, index) => `${index}:1`).join(",")]) {
    assert.equal(positionOf(text), undefined, text);
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { createLoad, type Load } from "../../../tools/lab/bench/load.js";
import type { LoadConnection } from "../../../tools/lab/rig/load-connection.js";
import type { PreparedMeter } from "../../../tools/lab/rig/prepared-meter.js";

/** A connection whose records all get their receipts at the next turn of the event loop, but those that `withheld` names. */
function createInstantConnection(load: Load, count: number, withheld: (index: number) => boolean = () => false) {
  let published = 0;
  let receipted = 0;
  let underWayMax = 0;
  const connection: LoadConnection = {
    prepared: { count } as PreparedMeter,
    get published() {
      return published;
    },
    get receipted() {
      return receipted;
    },
    publish(wanted) {
      const first = published;
      published = Math.min(count, published + wanted);
      underWayMax = Math.max(underWayMax, published - receipted);
      const last = published;
      setTimeout(() => {
        for (let index = first; index < last; index += 1) {
          if (withheld(index)) continue;
          receipted += 1;
          load.events.onReceipt(connection, index, Buffer.of(index));
        }
        load.events.onReceiptsRead(connection);
      }, 1);
      return last - first;
    },
    close() {},
  };
  return { connection, underWayMax: () => underWayMax };
}

test("keeps no more than the window under way on each connection", async () => {
  const load = createLoad();
  const meters = [createInstantConnection(load, 100_000), createInstantConnection(load, 100_000)];
  load.begin(meters.map(({ connection }) => connection));
  const phase = await load.saturate(8, 0, 0.2);
  assert.ok(await load.drain(5));
  for (const { underWayMax } of meters) assert.equal(underWayMax(), 8);
  assert.ok(phase.records <= load.totals().published);
  assert.equal(load.totals().receipted, load.totals().published);
});

test("publishes at the rate it is given, over all connections in turn", async () => {
  const load = createLoad();
  const meters = [createInstantConnection(load, 1_000), createInstantConnection(load, 1_000)];
  load.begin(meters.map(({ connection }) => connection));
  await load.pace(400, 0, 0.5);
  assert.ok(await load.drain(5));
  const counts = meters.map(({ connection }) => connection.published);
  assert.ok(Math.abs(counts[0]! - counts[1]!) <= 1);
  // Never ahead of its rate; how far behind depends on the machine.
  assert.ok(load.totals().published <= 201);
});

test("says when a published record gets no receipt", async () => {
  const load = createLoad();
  const meter = createInstantConnection(load, 1_000, (index) => index === 3);
  load.begin([meter.connection]);
  await load.pace(200, 0, 0.1);
  assert.equal(await load.drain(0.2), false);
  assert.equal(load.totals().published - load.totals().receipted, 1);
});

test("fails where a connection fails, and where the prepared records run out", async () => {
  const load = createLoad();
  load.begin([createInstantConnection(load, 20).connection]);
  await assert.rejects(load.saturate(8, 0, 5), /ran out/);
  load.events.onFailed(new Error("the node ended the connection"));
  await assert.rejects(load.pace(10, 0, 5), /ended the connection/);
});

test("keeps a sample of the receipts, and counts those that come again and what is refused", async () => {
  const load = createLoad();
  load.begin([createInstantConnection(load, 500).connection]);
  await load.saturate(50, 0, 0.05).catch(() => undefined);
  await load.drain(5);
  load.events.onRepeatedReceipt();
  load.events.onRefused("busy");
  load.events.onRefused("busy");
  const { receipted, repeated, refused } = load.totals();
  assert.equal(load.samples.length, Math.floor(receipted / 50));
  assert.deepEqual([repeated, refused], [1, { busy: 2 }]);
});

// What the monitor raises and ends, over sights at stated times.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createWatch, type Sight, type Told } from "../../tools/monitor/watch.js";

const terms = {
  silent_ms: 60_000,
  behind_ms: 60_000,
  clock_ms: 30_000,
  again_ms: 600_000,
  intervals: 3,
  slack_ms: 60_000,
};
const names = (told: readonly Told[]) => told.map(({ type, alarm }) => `${type} ${alarm.kind}`);

function seen(node: string, height: number, pending = 0, status: "pass" | "warn" = "pass"): Sight {
  const chain = {
    service: 1,
    name: "trading",
    height,
    header: "00",
    records: 0,
    violations: 0,
    time_ms: null,
    pending,
  };
  const checks = status === "pass" ? {} : { disk: [{ status: "warn" as const, output: "nearly full" }] };
  const health = { status, checks, node, network: "test", peers: 3, chains: [chain] };
  return { type: "seen", node, chains: [chain], health };
}

function audited(node: string, height: number, header: string, time_ms: number, meters: readonly string[] = []): Sight {
  const block = { service: 1, height, header, time_ms, meters, anchors: [] };
  return { type: "audited", node, block };
}

test("a node that does not answer is alarmed of once, and no more when it answers", () => {
  const watch = createWatch(terms);
  const gone: Sight = { type: "unreached", node: "a", reason: "refused" };
  assert.deepEqual(names(watch.step(gone, 0)), ["raised unreachable"]);
  assert.deepEqual(names(watch.step(gone, 1_000)), []);
  assert.deepEqual(names(watch.step(seen("a", 1), 2_000)), ["over unreachable"]);
  assert.deepEqual(watch.open, []);
});

test("records that wait for a minute without a block are a silence, which a block ends", () => {
  const watch = createWatch(terms);
  assert.deepEqual(names(watch.step(seen("a", 5, 2), 0)), []);
  assert.deepEqual(names(watch.step(seen("a", 9, 2), 60_001)), ["raised silent"], "a height that is told ends none");
  watch.step(audited("a", 6, "aa", 61_000), 61_000);
  assert.deepEqual(names(watch.step(seen("a", 6, 2), 61_000)), ["over silent"]);
});

test("a node that says that nothing waits hides no silence: each node's wait is its own", () => {
  const watch = createWatch(terms);
  const told: Told[] = [];
  watch.step(audited("a", 5, "aa", 0), 0);
  for (let now_ms = 0; now_ms <= 70_000; now_ms += 5_000) {
    for (const node of ["a", "b", "liar"]) told.push(...watch.step(seen(node, 5, node === "liar" ? 0 : 7), now_ms));
  }
  assert.deepEqual(names(told), ["raised silent"]);
  assert.match(watch.open[0]!.alarm.what, /^trading: 7 records wait at a, and no block came for 70 s$/);
  watch.step(seen("a", 5, 0), 71_000);
  assert.deepEqual(names(watch.step(seen("b", 5, 0), 71_000)), ["over silent"], "nothing waits anywhere");
});

test("what a node said that answers no more is forgotten after a minute", () => {
  const watch = createWatch(terms);
  watch.step(seen("gone", 5, 7), 0);
  assert.deepEqual(names(watch.step(seen("gone", 5, 7), 60_001)), ["raised silent"]);
  assert.deepEqual(names(watch.step(seen("a", 5, 0), 120_001)), []);
  assert.deepEqual(names(watch.step(seen("a", 5, 0), 120_002)), ["over silent"]);
});

test("where all chains stand still none is lagging, however slow the rhythm of another", () => {
  const watch = createWatch(terms);
  const hear = (service: number, height: number, time_ms: number) => {
    const block = { service, height, header: `${service}${height}`, time_ms, meters: ["m", "n"], anchors: [] };
    watch.step({ type: "audited", node: "a", block }, time_ms);
  };
  for (let height = 1; height <= 400; height += 1) {
    hear(1, height, height * 10_000);
    if (height % 100 === 0) hear(3, height / 100, height * 10_000);
  }
  assert.deepEqual(names(watch.step(seen("a", 400), 4_200_000)), ["raised late"]);
});

test("a node that lacks for a minute what others have is behind, until it has it", () => {
  const watch = createWatch(terms);
  watch.step(seen("a", 1_000_000), 0);
  watch.step(audited("a", 9, "aa", 0), 0);
  assert.deepEqual(names(watch.step(seen("b", 5), 1_000)), []);
  assert.deepEqual(names(watch.step(seen("b", 7), 61_001)), ["raised behind"]);
  assert.deepEqual(names(watch.step(seen("b", 9), 62_000)), ["over behind"], "what nobody proves is lacked by nobody");
});

test("two sealed blocks of one height are a fork that names both nodes", () => {
  const watch = createWatch(terms);
  watch.step(audited("a", 3, "aa".repeat(32), 1_000), 1_000);
  const told = watch.step(audited("b", 3, "bb".repeat(32), 1_000), 1_000);
  assert.deepEqual(names(told), ["raised fork"]);
  assert.match(told[0]!.alarm.what, /bbbb.* at b and aaaa.* at a/);
});

test("a new block whose time is far from ours is alarmed of, and a node that says so itself", () => {
  const watch = createWatch(terms);
  const come = (height: number, time_ms: number, at_ms: number, none_ms = at_ms - 500) =>
    names(
      watch.step({ ...audited("a", height, `a${height}`, time_ms), received: { none_ms, at_ms } } as Sight, 200_000),
    );
  assert.deepEqual(come(3, 100_000, 1_000), ["raised clock"]);
  assert.deepEqual(come(4, 2_000, 2_000), ["over clock"], "however long its audit took");
  assert.deepEqual(come(5, 3_000, 90_000, 2_500), [], "it waited for the audit of those before it");
  assert.deepEqual(come(5, 3_000, 190_000), [], "another node shows it later");
  assert.deepEqual(names(watch.step(audited("a", 6, "a6", 4_000), 200_000)), [], "it was there before");
  const told = watch.step(seen("a", 4, 0, "warn"), 3_000);
  assert.deepEqual(names(told), ["raised unhealthy"]);
  assert.match(told[0]!.alarm.what, /disk: nearly full/);
});

test("a wrong block stands, is told again, until somebody acknowledges it; it is over when the node serves a good one there", () => {
  const watch = createWatch(terms);
  const alarm = { kind: "wrong-block", node: "a", service: 1, what: "block 3 is wrong", height: 3 } as const;
  assert.deepEqual(names(watch.step({ type: "found", alarm }, 0)), ["raised wrong-block"]);
  assert.deepEqual(names(watch.step({ type: "found", alarm }, 30_000)), [], "it is the same one");
  assert.deepEqual(names(watch.step(audited("a", 2, "aa", 30_000), 30_000)), [], "a good block before it says nothing");
  assert.deepEqual(names(watch.step(audited("b", 3, "bb", 30_000), 30_000)), [], "another node's says nothing");
  assert.deepEqual(names(watch.step({ type: "found", alarm }, 600_000)), ["stands wrong-block"]);
  assert.deepEqual(names(watch.step({ type: "acknowledged", id: "00000000" }, 600_001)), [], "no alarm has this id");
  assert.deepEqual(names(watch.step({ type: "acknowledged", id: watch.open[0]!.id }, 700_000)), [
    "acknowledged wrong-block",
  ]);
  assert.deepEqual(names(watch.step({ type: "found", alarm }, 1_900_000)), [], "it is told no more");
  assert.equal(watch.open.length, 1, "it stands all the same");
  assert.deepEqual(names(watch.step(audited("a", 3, "bb", 1_900_000), 1_900_000)), ["over wrong-block"]);
  assert.deepEqual(names(watch.step({ type: "found", alarm }, 1_901_000)), ["raised wrong-block"], "a new one is news");
});

test("a meter that stops is late by its own rhythm, and is late no more when it is heard, or retired", () => {
  const watch = createWatch(terms);
  const hear = (height: number, time_ms: number, meters: readonly string[]) =>
    watch.step(audited("a", height, `0${height}`, time_ms, meters), time_ms);
  for (let height = 1; height <= 5; height += 1) hear(height, height * 10_000, ["m", "n"]);
  assert.deepEqual(names(watch.step(seen("a", 5), 100_000)), [], "three intervals and a minute are not over");
  hear(6, 140_001, ["n"]);
  const told = watch.step(seen("a", 6), 140_001);
  assert.deepEqual(names(told), ["raised late"]);
  assert.match(told[0]!.alarm.what, /^1 of 2 meters of trading are late: m since 1970-01-01T00:00:50Z$/);
  assert.deepEqual(names(watch.step({ type: "retired", meters: ["m"] }, 140_002)), []);
  assert.deepEqual(names(watch.step(seen("a", 6), 140_003)), ["over late"]);
});

test("nobody is late as long as what the node has is not audited", () => {
  const watch = createWatch(terms);
  for (let height = 1; height <= 5; height += 1) {
    watch.step(audited("a", height, `0${height}`, height * 10_000, ["m"]), height * 10_000);
  }
  assert.deepEqual(names(watch.step(seen("a", 6), 1_000_000)), []);
  assert.deepEqual(names(watch.step(seen("a", 5), 1_000_000)), ["raised late"]);
});

test("a chain that most of its meters have left for others is lagging", () => {
  const watch = createWatch(terms);
  const hear = (service: number, height: number, time_ms: number) => {
    const block = { service, height, header: `${service}${height}`, time_ms, meters: ["m", "n"], anchors: [] };
    watch.step({ type: "audited", node: "a", block }, time_ms);
  };
  for (let height = 1; height <= 50; height += 1) {
    if (height <= 10) hear(1, height, height * 10_000);
    hear(3, height, height * 10_000);
  }
  const told = watch.step(seen("a", 10), 500_000);
  assert.deepEqual(names(told), ["raised late", "raised lagging"]);
  assert.match(told[1]!.alarm.what, /2 of 2 meters are silent on trading and heard on chain 3/);
});

test("a block that names another block of a chain than that chain has is alarmed of", () => {
  const watch = createWatch(terms);
  watch.step(audited("a", 3, "aa".repeat(32), 1_000), 1_000);
  const anchors = [{ service: 1, height: 3, header: "bb".repeat(32) }];
  const block = { service: 3, height: 8, header: "cc", time_ms: 1_000, meters: [], anchors };
  const told = watch.step({ type: "audited", node: "b", block }, 1_000);
  assert.deepEqual(names(told), ["raised anchor"]);
  assert.match(told[0]!.alarm.what, /block 8 names block 3 of chain 1 as bbbbbbbbbbbbbbbb, a serves aaaaaaaaaaaaaaaa/);
});

test("an anchor that comes before its block is compared when the block comes", () => {
  const watch = createWatch(terms);
  const name = (node: string, height: number, header: string) => {
    const anchors = [{ service: 1, height: 3, header: header.repeat(32) }];
    const block = { service: 3, height, header: `c${height}`, time_ms: 1_000, meters: [], anchors };
    return watch.step({ type: "audited", node, block }, 1_000);
  };
  assert.deepEqual(names(name("b", 8, "aa")), []);
  assert.deepEqual(names(name("b", 9, "bb")), [], "which of the two is right is not known yet");
  watch.step(audited("a", 2, "a2", 1_000), 1_000);
  const told = watch.step(audited("a", 3, "aa".repeat(32), 1_000), 1_000);
  assert.deepEqual(names(told), ["raised anchor"]);
  assert.match(told[0]!.alarm.what, /block 9 names block 3 of chain 1 as bbbbbbbbbbbbbbbb, a serves aaaaaaaaaaaaaaaa/);
  assert.deepEqual([told[0]!.alarm.node, told[0]!.alarm.service], ["b", 3]);
});

test("an order that changes a chain's rules is told once, with those before it, and is over when they are in force", () => {
  const watch = createWatch(terms);
  watch.step(seen("a", 5), 0);
  const order = { number: 7, service: 1, fromHeight: 9, what: "installs community 1.0.0" };
  assert.deepEqual(names(watch.step({ type: "ordered", order }, 0)), ["raised rules"]);
  assert.deepEqual(names(watch.step({ type: "ordered", order }, 1)), [], "the next node's chain has it as well");
  const told = watch.step({ type: "ordered", order: { ...order, number: 8, fromHeight: 8, what: "retires cases" } }, 2);
  assert.deepEqual(names(told), ["raised rules"]);
  assert.match(told[0]!.alarm.what, /^order 8 retires cases, from block 8 of trading on; order 7 installs community/);
  assert.deepEqual(names(watch.step(audited("a", 8, "aa", 3), 3)), []);
  assert.deepEqual(names(watch.step(audited("a", 9, "ab", 4), 4)), ["over rules"]);
});

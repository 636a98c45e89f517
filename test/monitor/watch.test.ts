// What the monitor raises and ends, over sights at stated times.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createWatch, type Sight, type Told } from "../../tools/monitor/watch.js";

const terms = { silent_ms: 60_000, behind_ms: 60_000, clock_ms: 30_000 };
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

function audited(node: string, height: number, header: string, time_ms: number): Sight {
  return { type: "audited", node, block: { service: 1, height, header, time_ms }, isNew: true };
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
  assert.deepEqual(names(watch.step(seen("a", 5, 2), 60_001)), ["raised silent"]);
  assert.deepEqual(names(watch.step(seen("a", 6, 2), 61_000)), ["over silent"]);
});

test("a node that lacks for a minute what others have is behind, until it has it", () => {
  const watch = createWatch(terms);
  watch.step(seen("a", 9), 0);
  assert.deepEqual(names(watch.step(seen("b", 5), 1_000)), []);
  assert.deepEqual(names(watch.step(seen("b", 7), 61_001)), ["raised behind"]);
  assert.deepEqual(names(watch.step(seen("b", 9), 62_000)), ["over behind"]);
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
  assert.deepEqual(names(watch.step(audited("a", 3, "aa", 100_000), 1_000)), ["raised clock"]);
  assert.deepEqual(names(watch.step(audited("a", 4, "ab", 2_000), 2_000)), ["over clock"]);
  const told = watch.step(seen("a", 4, 0, "warn"), 3_000);
  assert.deepEqual(names(told), ["raised unhealthy"]);
  assert.match(told[0]!.alarm.what, /disk: nearly full/);
});

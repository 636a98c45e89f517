import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { type TestContext, test } from "node:test";
import type { Chain } from "../../../tools/node/chain/chain.js";
import { createHealthWatch } from "../../../tools/node/watch/health-watch.js";
import { createMetrics } from "../../../tools/node/watch/metrics.js";

const HOURS_MS = 7_200_000;

/** Of a node whose chains are alike, each named by its service; `say` gets what it logs. */
function watchOf(t: TestContext, services: readonly number[], say: (line: string) => void = () => {}) {
  const standing = { members: ["a"], quorum: 1, waits: false, abstains: false, claimed: [], unverified: 0 };
  const chain = { head: { height: 5, time_ms: 0 }, pendingRecords: 0, standing } as unknown as Chain;
  const watch = createHealthWatch({
    self: "a",
    chains: new Map(services.map((service) => [service, chain])),
    nameOf: (service) => `service-${service}`,
    connected: () => [],
    nodeNames: () => new Map(),
    unusableCustodians: () => [],
    missingOf: () => undefined,
    connections: () => 0,
    writes: { oldest_ms: () => 0 },
    folder: tmpdir(),
    metrics: createMetrics(),
    log: { warn: (_fields, message) => say(message) },
  });
  t.after(() => watch.stop());
  return watch;
}

test("a node that its blocks' times contradict says so once, fails, and goes by them until its clock is right", (t) => {
  const lines: string[] = [];
  const watch = watchOf(t, [1], (line) => lines.push(line));
  const clockOf = () => watch.verdict().problems.find(({ check }) => check === "clock:offset")?.status;
  const ahead_ms = () => watch.now_ms() - Date.now();

  assert.equal(clockOf(), undefined);
  assert.equal(ahead_ms() > 1_000, false);
  for (let count = 0; count < 3; count += 1) watch.onBlock({ time_ms: Date.now() + HOURS_MS, sealing_ms: 0 });
  assert.deepEqual([clockOf(), clockOf()], ["fail", "fail"]);
  assert.ok(Math.abs(ahead_ms() - HOURS_MS) < 60_000, `${ahead_ms()} ms`);
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /7200 s behind .* synchronise it/);

  for (let count = 0; count < 8; count += 1) watch.onBlock({ time_ms: Date.now(), sealing_ms: 0 });
  assert.equal(clockOf(), undefined);
  assert.ok(Math.abs(ahead_ms()) < 1_000);
});

test("a contract whose messages have no end is told of with its chain, for ten minutes", (t) => {
  const watch = watchOf(t, [1, 2]);
  const told = () => watch.verdict().problems.filter(({ check }) => check === "chain:messages");
  assert.deepEqual(told(), []);
  watch.onEndless(2, "credit");
  assert.deepEqual(
    told().map(({ chain: of, output }) => [of?.name, output.split(":")[0]]),
    [["service-2", "credit"]],
  );
  const now_ms = performance.now();
  t.mock.method(performance, "now", () => now_ms + 600_001);
  assert.deepEqual(told(), []);
});

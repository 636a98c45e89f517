// How much longer rounds wait where contracts may run: for each kind of entry that may come, whatever runs have taken lately.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type InstallAction, sourceHash } from "../../../../src/wire/contract-order.js";
import type { ChainTip, ReadBatch } from "../../../../tools/ledger/compose.js";
import { newestEngine } from "../../../../tools/ledger/engines.js";
import { governedHeight } from "../../../../tools/ledger/governance.js";
import { BLOCK_CALLS_MAX, BLOCK_OPERATIONS_MAX, kindShare } from "../../../../tools/ledger/run-plan.js";
import { roomForRuns } from "../../../../tools/node/chain/blocks/run-room.js";
import { createCluster, SERVICE } from "../cluster.js";

const source = "export const reads = [], writes = []; export function operation() {} export function slot() {}";
const install: InstallAction = {
  ...{ type: "install", service: SERVICE, name: "market", version: 1, source: sourceHash(source), ...newestEngine },
  ...{ budget: 1_000, pages: 64, output: 10_000, types: [3], messages: [{ service: 0, name: "told" }] },
  ...{ slots: { slot_s: 900, lateness_s: 0, gapMax_s: 900 }, vectors: new Uint8Array(32), ready: [], fromHeight: 1 },
};

test("a round waits for what may run next, though it was cheap lately, and for nothing that cannot come", async (t) => {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  await cluster.order(install, source);
  const [node] = cluster.nodes;
  const { governor } = node!;
  const state = { keysOf: () => [] as string[] };
  const tip = (head: unknown, keys: readonly string[] = []): ChainTip =>
    ({
      chain: cluster.genesis.chains.find(({ service }) => service === SERVICE)!,
      ...{ height: 9, judgedAt: governedHeight(governor.current), governance: governor.current },
      view: { state: { ...state, keysOf: () => keys }, settlement: { head } },
    }) as unknown as ChainTip;
  const lately_ms = 10;
  const nothing = { now_ms: 900_000, lately_ms, waits: () => false };
  const room = (change: Partial<Parameters<typeof roomForRuns>[0]> = {}) =>
    roomForRuns({ tip: tip(undefined), ...nothing, ...change });
  assert.equal(room(), 2 * 3 * lately_ms, "what runs took lately, where nothing is known to come");
  const asked = { records: [{ type: 3 }], notices: [] } as unknown as ReadBatch;
  const told = { records: [], notices: [{ kind: "message" }] } as unknown as ReadBatch;
  const other = { records: [{ type: 4 }, { type: undefined }], notices: [] } as unknown as ReadBatch;
  const whole = 2 * kindShare.budget * 0.75;
  assert.ok(room({ waits: (holds) => holds(asked) }) >= whole + 2 * BLOCK_OPERATIONS_MAX * 3, "an operation waits");
  assert.ok(room({ waits: (holds) => holds(told) }) >= whole, "a message waits");
  assert.equal(room({ waits: (holds) => holds(other) }), room(), "of a type that nobody takes");
  const open = (open_s: number) => ({ open_s, plan: install.slots, showing: undefined });
  assert.equal(room({ tip: tip(open(100)) }), room(), "the slot has not ended");
  assert.ok(room({ tip: tip(open(0)) }) >= whole, "the slot has ended");
  assert.ok(room({ tip: tip({ ...open(100), showing: {} }) }) >= whole, "rows are left to be shown");
  const due = (time_s: number) => [`due/${String(time_s).padStart(13, "0")}/market/round`];
  assert.equal(room({ tip: tip(undefined, due(901)) }), room(), "nothing is due yet");
  assert.ok(room({ tip: tip(undefined, due(900)) }) >= whole, "a deadline has passed");
  const all = room({ tip: tip(open(0), due(900)), waits: () => true });
  assert.ok(all >= 4 * whole && all <= 4 * whole + 2 * BLOCK_CALLS_MAX * 15, `all of it together: ${all} ms`);
});

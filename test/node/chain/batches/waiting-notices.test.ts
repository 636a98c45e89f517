import assert from "node:assert/strict";
import { test } from "node:test";
import { GridsealError } from "../../../../tools/errors.js";
import type { ExecutionNotice } from "../../../../tools/ledger/execution.js";
import { initialGovernance } from "../../../../tools/ledger/governance.js";
import { MemoryState } from "../../../../tools/ledger/memory-state.js";
import { MemorySettlement } from "../../../../tools/ledger/settlement/memory-settlement.js";
import { createWaitingNotices } from "../../../../tools/node/chain/batches/waiting-notices.js";
import type { ChainPorts } from "../../../../tools/node/chain/ports.js";
import { makeGenesis } from "../../../audit/chain-builder.js";

const evidence: ExecutionNotice = {
  kind: "evidence",
  bytes: new Uint8Array(8),
  node: new Uint8Array(8),
  violation: "equivocation",
  number: 1,
};

/** Waiting notices over a store whose writes end when the test says so. */
function over() {
  const writes: { readonly resolve: () => void; readonly reject: (reason: unknown) => void }[] = [];
  const write = () => new Promise<void>((resolve, reject) => void writes.push({ resolve, reject }));
  const ports = { chain: { service: 5 }, store: { write } } as unknown as ChainPorts;
  return { notices: createWaitingNotices(ports), writes };
}

test("what waits here is said to wait once it is durable, to whoever brings it again too", async () => {
  const { notices, writes } = over();
  const first = notices.submit(evidence);
  let told = false;
  const again = notices.has(evidence).then((has) => {
    told = true;
    return has;
  });
  await new Promise(setImmediate);
  assert.equal(told, false);
  writes[0]!.resolve();
  assert.deepEqual([await first, await again], ["waits", true]);
});

test("what could not be written does not wait here", async () => {
  const { notices, writes } = over();
  const first = notices.submit(evidence);
  const again = notices.has(evidence);
  writes[0]!.reject(new GridsealError("STORE_FULL", "the disk is full"));
  await assert.rejects(first, /the disk is full/);
  assert.deepEqual([await again, notices.pending], [false, 0]);
});

test("gives a temporary block no more bytes of what waits than it has room for, and keeps the rest", () => {
  const { genesis } = makeGenesis();
  const { notices } = over();
  const against = genesis.nodes.map(({ id: node }) => {
    return { ...evidence, node, bytes: new Uint8Array(200_000), violation: "falseAcknowledgement" } as const;
  });
  notices.add(against);
  const none = () => undefined;
  const known = { meter: none, origin: none, faults: () => [], sealedHash: none, credential: none };
  const view = { ...known, state: new MemoryState(), settlement: new MemorySettlement() };
  const place = { service: 1, height: 1, governance: initialGovernance(genesis), judgedAt: 0, time_ms: 0, view };
  assert.deepEqual(notices.take(place), { chosen: against.slice(0, 2), spent: [] });
  assert.equal(notices.pending, 2);
  assert.deepEqual(notices.take(place), { chosen: against.slice(2), spent: [] });
});

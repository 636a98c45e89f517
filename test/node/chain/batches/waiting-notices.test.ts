import assert from "node:assert/strict";
import { test } from "node:test";
import { GridsealError } from "../../../../tools/errors.js";
import type { ExecutionNotice } from "../../../../tools/ledger/execution.js";
import { createWaitingNotices } from "../../../../tools/node/chain/batches/waiting-notices.js";
import type { ChainPorts } from "../../../../tools/node/chain/ports.js";

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

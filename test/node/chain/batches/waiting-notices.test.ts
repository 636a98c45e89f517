import assert from "node:assert/strict";
import { test } from "node:test";
import { GridsealError } from "../../../../tools/errors.js";
import type { ExecutionNotice } from "../../../../tools/ledger/execution.js";
import { createRulings } from "../../../../tools/node/chain/batches/waiting-notices.js";
import type { ChainPorts } from "../../../../tools/node/chain/ports.js";

const evidence: ExecutionNotice = { kind: "evidence", bytes: new Uint8Array(8), node: new Uint8Array(8), height: 1 };

/** Rulings over a store whose writes end when the test says so. */
function over() {
  const writes: { readonly resolve: () => void; readonly reject: (reason: unknown) => void }[] = [];
  const write = () => new Promise<void>((resolve, reject) => void writes.push({ resolve, reject }));
  const ports = { chain: { service: 5 }, store: { write } } as unknown as ChainPorts;
  return { rulings: createRulings(ports), writes };
}

test("what waits here is said to wait once it is durable, to whoever brings it again too", async () => {
  const { rulings, writes } = over();
  const first = rulings.submit(evidence);
  let told = false;
  const again = rulings.has(evidence).then((has) => {
    told = true;
    return has;
  });
  await new Promise(setImmediate);
  assert.equal(told, false);
  writes[0]!.resolve();
  assert.deepEqual([await first, await again], ["waits", true]);
});

test("what could not be written does not wait here", async () => {
  const { rulings, writes } = over();
  const first = rulings.submit(evidence);
  const again = rulings.has(evidence);
  writes[0]!.reject(new GridsealError("STORE_FULL", "the disk is full"));
  await assert.rejects(first, /the disk is full/);
  assert.deepEqual([await again, rulings.pending], [false, 0]);
});

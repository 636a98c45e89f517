// Who signs on a chain is told without reading whole blocks, and what the disk has damaged is never handed out.

import assert from "node:assert/strict";
import { test } from "node:test";
import { sealedHoldersOf } from "../../../tools/node/chain/sealed-holders.js";
import { blocks } from "../../../tools/node/chain/tables/blocks.js";
import type { PartReader } from "../../../tools/node/store/store.js";
import { createCluster, SERVICE } from "./cluster.js";

test("a holder's newest record and its block's time are told without the whole block, which is read where they do not hold", async (t) => {
  const cluster = await createCluster(1);
  t.after(() => cluster.close());
  const { chain, store } = cluster.nodes[0]!;
  for (let sealed = 1; sealed <= 3; sealed += 1) {
    const meter = await cluster.meter();
    await chain.admit(meter.next(), undefined);
    await cluster.until(() => chain.head.records === sealed, "the record is sealed");
  }
  let wholes = 0;
  const unchecked: PartReader["unchecked"] = (table, key) => store.unchecked(table, key);
  const counted = (read: PartReader["unchecked"]): PartReader => ({
    get(table, key) {
      if ((table as unknown) === blocks) wholes += 1;
      return store.get(table, key);
    },
    range: (table, range) => store.range(table, range),
    unchecked: read,
  });
  const holders = (from: PartReader) => [...sealedHoldersOf(from, SERVICE, { from: new Uint8Array(8), limit: 9 })];
  const told = holders(counted(unchecked));
  assert.equal(told.length, 3);
  for (const { time_s, sealed_s } of told) assert.ok(time_s! > 0 && sealed_s! > 0);
  assert.equal(wholes, 0, "no block is read whole");
  const flipped = holders(counted((table, key) => store.unchecked(table, key)?.map((byte) => byte ^ 1)));
  assert.deepEqual(flipped, told, "only what was read without a check was wrong");
  assert.ok(wholes >= 3);
  const later = holders(counted((table, key) => laterBy(store.unchecked(table, key))));
  assert.deepEqual(later, told, "a time that is changed in a header is found");
});

/** With the low byte of the header's time changed: what stands before the data record is short. */
function laterBy(block: Uint8Array | undefined): Uint8Array | undefined {
  if (block === undefined) return undefined;
  const at = Buffer.from(block).indexOf(Buffer.from([0x58, 80, 1, 0, 0, 0])) + 2 + 68;
  return Uint8Array.from(block).with(at, block[at]! ^ 1);
}

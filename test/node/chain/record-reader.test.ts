import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBlock } from "../../../src/wire/block.js";
import { recordReader } from "../../../tools/node/chain/record-reader.js";
import { buildChain, makeMeter } from "../../audit/chain-builder.js";

const meters = [1, 2, 3].map((number) => makeMeter(number));
const chain = buildChain();
chain.seal({
  records: Array.from({ length: 60 }, (_, index) => meters[index % 3]!.record()),
  credentials: meters.map(({ credential }) => credential),
});
const block = chain.blocks[0]!;
const records = decodeBlock(block).batches.flatMap((batch) => batch.records);

test("gives the record of each leaf, in any order", () => {
  const read = recordReader(block);
  const leaves = records.map((_, index) => index + 1);
  for (const leaf of [...leaves, ...leaves.toReversed(), 7, 7, 60, 1]) {
    assert.deepEqual(read(leaf), records[leaf - 1], `leaf ${leaf}`);
  }
});

test("gives nothing before the first and behind the last leaf", () => {
  const read = recordReader(block);
  assert.deepEqual([read(0), read(61), read(1_000)], [undefined, undefined, undefined]);
  assert.deepEqual(read(1), records[0]);
});

test("ends on damaged bytes, whatever they claim", () => {
  const random = new Uint8Array(block);
  for (let at = 0; at < random.length; at += 37) {
    const changed = random.with(at, 0x9b).with(at + 1, 0xff);
    const read = recordReader(changed);
    for (const leaf of [1, 30, 60, 10_000]) {
      try {
        read(leaf);
      } catch (error) {
        assert.ok(error instanceof RangeError);
      }
    }
  }
});

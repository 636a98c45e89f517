// A chain that a browser replays up to a block: each block follows, or it is said which does not; a quorum has sealed the last.

import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBlock, encodeBlock } from "../../src/wire/block.js";
import { WireError } from "../../src/wire/error.js";
import { createEngine } from "../../tools/contracts/engine.js";
import { replayAt } from "../../tools/explorer/replay/replay-block.js";
import { browserVerify } from "../../tools/explorer/verification/signatures.js";
import { readEngine } from "../../tools/node/contracts/sandbox.js";
import { buildChain, makeMeter, stranger } from "../audit/chain-builder.js";

const engine = await createEngine(await readEngine());

function chainOf(count: number) {
  const chain = buildChain();
  const meter = makeMeter(1);
  for (let at = 0; at < count; at += 1) {
    chain.seal({ records: [meter.record()], ...(at === 0 && { credentials: [meter.credential] }) });
  }
  return chain;
}

async function replayed(height: number, blocks: readonly Uint8Array[]) {
  const { genesis } = buildChain();
  const heights: number[] = [];
  const found = await replayAt({
    ...{ genesis, service: 1, height, engine, verify: browserVerify },
    blocks: async (_service, from) => blocks.slice(from - 1, from + 1),
    onBlock: (place) => heights.push(place.height),
  });
  return { ...found, heights };
}

test("a chain is followed to the block that is asked for, some blocks at a time", async () => {
  const { blocks } = chainOf(5);
  assert.deepEqual(await replayed(4, blocks), { chain: "trading", judgedAt: 0, runs: [], heights: [1, 2, 3, 4] });
});

test("a block before it that does not follow is wrong, and so is one that no quorum has sealed", async () => {
  const { blocks } = chainOf(3);
  const second = decodeBlock(blocks[1]!);
  const altered = encodeBlock({ ...second, results: decodeBlock(chainOf(1).blocks[0]!).results, counter: 4 });
  await assert.rejects(replayed(3, [blocks[0]!, altered, blocks[2]!]), (error) => {
    assert.ok(error instanceof WireError);
    assert.match(error.message, /action counter is 4, not 0/);
    return true;
  });
  const chain = buildChain();
  const meter = makeMeter(1);
  chain.seal({ records: [meter.record()], credentials: [meter.credential] }, { signers: [stranger] });
  await assert.rejects(replayed(1, chain.blocks), WireError);
});

test("a block that nobody has is not called wrong", async () => {
  const { blocks } = chainOf(2);
  await assert.rejects(
    replayed(3, blocks),
    (error) => !(error instanceof WireError) && /has no block 3/.test(String(error)),
  );
});

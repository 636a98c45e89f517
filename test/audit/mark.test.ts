// What a later audit takes from an earlier one: signatures of blocks that were found good, and nothing else.

import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBlock, encodeBlock } from "../../src/wire/block.js";
import { headerHash } from "../../src/wire/header.js";
import { auditChain } from "../../tools/audit/audit.js";
import { buildChain, type ChainBuilder, makeMeter } from "./chain-builder.js";

const meter = makeMeter(1);

async function* yielding(blocks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* blocks;
}

/** Three blocks, of which the first has a record that another key has signed: nothing else is wrong. */
function forgedChain(): ChainBuilder {
  const chain = buildChain();
  const other = makeMeter(3);
  chain.seal({ records: [makeMeter(1).record({}, makeMeter(2).signer)], credentials: [meter.credential] });
  chain.seal({ records: [other.record()], credentials: [other.credential] });
  chain.seal({ records: [other.record()] });
  return chain;
}

function audit(chain: ChainBuilder, blocks: readonly Uint8Array[], mark?: { height: number; header: Uint8Array }) {
  const options = mark === undefined ? {} : { audited: mark };
  return auditChain(chain.genesis, chain.genesis.chains[0]!, () => yielding(blocks), options);
}

const headerAt = (chain: ChainBuilder, height: number) => headerHash(decodeBlock(chain.blocks[height - 1]!).header);

test("signatures up to the mark are not verified again, those behind it are", async () => {
  const chain = forgedChain();
  assert.equal((await audit(chain, chain.blocks)).firstProblem?.height, 1, "the forged record is found without a mark");
  const marked = await audit(chain, chain.blocks, { height: 2, header: headerAt(chain, 2) });
  assert.equal(marked.verdict, "good", marked.firstProblem?.what);
  assert.equal(marked.height, 3, "all blocks are gone over");
  const last = decodeBlock(chain.blocks[2]!);
  const { signatures, round } = last.certificate;
  const unsealed = encodeBlock({ ...last, certificate: { round, signatures: signatures.slice(1, 2) } });
  const behind = await audit(chain, [...chain.blocks.slice(0, 2), unsealed], { height: 2, header: headerAt(chain, 2) });
  assert.equal(behind.firstProblem?.height, 3, "a block behind the mark without its quorum is found");
});

test("another chain than the one that was audited is found at the mark, wherever it differs before", async () => {
  const chain = forgedChain();
  const other = buildChain();
  const honest = makeMeter(1);
  other.seal({ records: [honest.record()], credentials: [meter.credential] });
  other.seal({ records: [honest.record()] });
  other.seal({ records: [honest.record()] });
  const report = await audit(other, other.blocks, { height: 2, header: headerAt(chain, 2) });
  assert.equal(report.firstProblem?.height, 2);
  assert.match(report.firstProblem!.what, /another block than the one that was audited before/);
});

test("what a block up to the mark comes to is computed all the same", async () => {
  const chain = forgedChain();
  const second = decodeBlock(chain.blocks[1]!);
  const altered = encodeBlock({ ...second, counter: second.counter + 1 });
  const blocks = [chain.blocks[0]!, altered, chain.blocks[2]!];
  const report = await audit(chain, blocks, { height: 3, header: headerAt(chain, 3) });
  assert.equal(report.firstProblem?.height, 2);
});

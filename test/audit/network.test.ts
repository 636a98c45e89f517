// Several chains audited together: what each says of the others' headers holds, or somebody has signed what no correct node signs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBlock } from "../../src/wire/block.js";
import { toHex } from "../../src/wire/bytes.js";
import { headerHash } from "../../src/wire/header.js";
import { auditNetwork } from "../../tools/audit/network.js";
import { buildChain, type ChainBuilder, makeMeter } from "./chain-builder.js";

/** Blocks of one record each; `energy` tells one history from another. */
function historyOf(service: number, heights: number, serviceId: number): ChainBuilder {
  const chain = buildChain(0, service);
  const meter = makeMeter(1);
  for (let height = 1; height <= heights; height += 1) {
    const records = [meter.record({ service, serviceId })];
    chain.seal({ records, ...(height === 1 && { credentials: [meter.credential] }) });
  }
  return chain;
}

/** Blocks of trading, each of which names a header of dispatch; `other` gives the same heights again, by another history. */
function anchoring(dispatch: ChainBuilder, heights: readonly number[], other?: ChainBuilder): ChainBuilder {
  const chain = buildChain(0, 1);
  const meter = makeMeter(2);
  const named = [dispatch, other].flatMap((of) => (of === undefined ? [] : heights.map((height) => ({ of, height }))));
  for (const [index, { of, height }] of named.entries()) {
    const hash = headerHash(decodeBlock(of.blocks[height - 1]!).header);
    const anchors = [{ chain: 3, height, headerHash: hash }];
    const credentials = index === 0 ? [meter.credential] : [];
    chain.seal({ records: [meter.record()], credentials }, { content: (content) => ({ ...content, anchors }) });
  }
  return chain;
}

function audit(trading: ChainBuilder, dispatch: ChainBuilder | undefined) {
  const chains = new Map([[1, trading], ...(dispatch === undefined ? [] : [[3, dispatch] as const])]);
  const open = (service: number) => {
    const chain = chains.get(service);
    return chain === undefined
      ? undefined
      : async function* () {
          yield* chain.blocks;
        };
  };
  return auditNetwork(trading.genesis, { open, runContracts: undefined }, [...chains.keys()]);
}

test("confirms the anchors of chains that are audited together", async () => {
  const dispatch = historyOf(3, 5, 1);
  const [trading, other] = await audit(anchoring(dispatch, [1, 1, 3, 5]), dispatch);
  const chains = [{ service: 3, first: 1, last: 5, named: 3 }];
  assert.deepEqual(trading?.anchors, { named: 3, confirmed: 3, contradicted: 0, contradictions: [], chains });
  assert.deepEqual([trading?.firstProblem, other?.firstProblem, other?.height], [undefined, undefined, 5]);
});

test("leaves an anchor open whose chain or height is not at hand", async () => {
  const dispatch = historyOf(3, 5, 1);
  const trading = anchoring(dispatch, [2, 5]);
  const [alone] = await audit(trading, undefined);
  assert.deepEqual([alone?.firstProblem, alone?.anchors.confirmed], [undefined, 0]);
  const [beside] = await audit(trading, historyOf(3, 3, 1));
  assert.deepEqual([beside?.firstProblem, beside?.anchors.confirmed], [undefined, 1]);
});

test("a chain that all its members have rewritten is contradicted by another chain's anchors, at both heights", async () => {
  const dispatch = historyOf(3, 5, 1);
  const rewritten = historyOf(3, 5, 2);
  const trading = anchoring(dispatch, [2, 4]);
  const [report, other] = await audit(trading, rewritten);
  assert.equal(other?.firstProblem, undefined, "by itself it is good");
  assert.equal(report?.firstProblem, undefined, "so is the one that contradicts it");
  const found = report!.anchors.contradictions.map(({ block, service, height }) => [block, service, height]);
  assert.deepEqual(found, [
    [1, 3, 2],
    [2, 3, 4],
  ]);
  const [first] = report!.anchors.contradictions;
  assert.equal(first?.named, toHex(headerHash(decodeBlock(dispatch.blocks[1]!).header)));
  assert.equal(first?.sealed, toHex(headerHash(decodeBlock(rewritten.blocks[1]!).header)));
});

test("a contradiction names who proposed the block in the round that decided it, and who signed it", async () => {
  const dispatch = historyOf(3, 2, 1);
  const trading = anchoring(historyOf(3, 2, 2), [1, 2]);
  const [report] = await audit(trading, dispatch);
  assert.equal(report!.anchors.contradicted, 2);
  const members = trading.genesis.chains.find(({ service }) => service === 1)!.members.map(({ id }) => toHex(id));
  for (const { block, round, proposer, signers } of report!.anchors.contradictions) {
    const { certificate } = decodeBlock(trading.blocks[block - 1]!);
    assert.deepEqual([round, proposer], [certificate.round, members[(block + certificate.round) % members.length]]);
    assert.deepEqual(
      signers,
      certificate.signatures.map(({ node }) => toHex(node)),
    );
  }
});

test("one height that is named with two hashes is held against the chain twice", async () => {
  const dispatch = historyOf(3, 2, 1);
  const [report] = await audit(anchoring(dispatch, [2], historyOf(3, 2, 2)), dispatch);
  assert.deepEqual([report!.anchors.confirmed, report!.anchors.contradicted], [1, 1]);
});

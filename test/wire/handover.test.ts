import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Block, blockTree, metadataEntry } from "../../src/wire/block.js";
import { concatBytes } from "../../src/wire/bytes.js";
import { WireError } from "../../src/wire/error.js";
import { decodeHandover, encodeHandover, type Handover, verifyHandover } from "../../src/wire/handover.js";
import { memberSets, membersAt, splitLineage } from "../../src/wire/lineage.js";
import { inclusionPath, leafCount } from "../../src/wire/merkle.js";
import { nodeVerify } from "../../tools/crypto/signatures.js";
import { sealBlock, type TestNode, testBatch, testMeter, testNetwork, testRecords } from "./network.js";

const network = testNetwork("handover", 7);
const [first, second, third] = [network.nodes.slice(0, 7), network.nodes.slice(0, 6), network.nodes.slice(1, 6)];
const meter = testMeter(network, "meter");

function blockThatHandsOver(previous: Block | undefined, members: TestNode[], nextMembers: TestNode[]): Block {
  const seq = previous?.height ?? 0;
  const records = testRecords(meter, 1, 1, seq);
  const batch = testBatch(network, 1, members[1]!, seq, previous === undefined ? [meter.credential] : [], records);
  return sealBlock(network, 1, previous, { batches: [batch], members, nextMembers });
}

function handoverOf(block: Block, members: readonly TestNode[]): Handover {
  const tree = blockTree(block);
  const { network: name, chain, height, header, certificate } = block;
  const place = { metadata: metadataEntry(block), size: leafCount(tree), path: inclusionPath(tree, 0) };
  const keys = members.map(({ id, key }) => ({ id, key }));
  return { network: name, chain, height, ...place, header, certificate, members: keys };
}

const blocks: Block[] = [blockThatHandsOver(undefined, first, second)];
blocks.push(blockThatHandsOver(blocks[0], second, second));
blocks.push(blockThatHandsOver(blocks[1], second, third));
const handovers = [handoverOf(blocks[0]!, second), handoverOf(blocks[2]!, third)];
const { genesis } = network;
const follow = (list: readonly Handover[]) =>
  memberSets(genesis, 1, splitLineage(concatBytes(...list.map(encodeHandover))), nodeVerify);

test("leads from the first members to those of each height", () => {
  const read = handovers.map((handover) => decodeHandover(encodeHandover(handover)));
  assert.deepEqual(read, handovers);
  const sets = follow(read);
  assert.deepEqual(
    sets.map(({ from }) => from),
    [1, 2, 4],
  );
  const namesAt = (height: number) => membersAt(sets, height)?.length;
  assert.deepEqual([1, 2, 3, 4, 100].map(namesAt), [7, 6, 6, 5, 5]);
  assert.equal(membersAt(sets, 0), undefined);
});

test("is worth nothing out of turn, with other members, or of another network", () => {
  const [one, two] = handovers as [Handover, Handover];
  const refused: readonly (readonly [readonly Handover[], RegExp])[] = [
    [[two], /not for these members/],
    [[one, one], /order of their heights/],
    [[two, one], /not for these members/],
    [[{ ...one, members: third.map(({ id, key }) => ({ id, key })) }], /not those that the block binds/],
    [[{ ...one, network: "beta" }], /network beta/],
    [[{ ...one, height: 2 }], /another block/],
    [[{ ...one, chain: 3 }], /of chain 3/],
    [[{ ...one, metadata: two.metadata }], /Merkle root/],
    [[{ ...one, certificate: two.certificate }], /does not verify|members in their order/],
    [[{ ...one, certificate: { ...one.certificate, signatures: one.certificate.signatures.slice(1) } }], /are needed/],
  ];
  for (const [list, reason] of refused) assert.throws(() => follow(list), reason);
});

test("refuses a change of any byte", () => {
  const bytes = encodeHandover(handovers[0]!);
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (position, change) => {
      const changed = Uint8Array.from(bytes);
      changed[position] = changed[position]! ^ change;
      try {
        const handover = decodeHandover(changed);
        verifyHandover(handover, genesis, first, nodeVerify);
        // The size of a tree is no claim of its own, as in a receipt.
        assert.deepEqual({ ...handover, size: 0 }, { ...handovers[0], size: 0 });
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
      }
    }),
    { numRuns: 1_000 },
  );
});

// Messages and deadlines of chains that are good but for one thing: the audit and the stranger find it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { batchBytes, batchId } from "../../src/wire/batch.js";
import type { SealedBatch } from "../../src/wire/block.js";
import { WireError } from "../../src/wire/error.js";
import { decodeCarried } from "../../src/wire/message.js";
import { encodeDue, type Notice } from "../../src/wire/notice.js";
import { auditChain } from "../../tools/audit/audit.js";
import { carriedMessage, messageItem, type ToldMessage } from "../wire/carried.js";
import { verifyExport } from "../wire/stranger.js";
import { acknowledged, buildChain, makeGenesis, nodeSigners, stranger } from "./chain-builder.js";

const { genesis, bytes: genesisBytes } = makeGenesis();
const quorum = nodeSigners.slice(0, 3);
const told = (change: Partial<ToldMessage> & { readonly number: number }, signers = quorum): Notice => ({
  kind: "message",
  bytes: carriedMessage(genesis, signers, { from: 3, to: 1, ...change }),
});

interface Found {
  readonly audited: string | undefined;
  readonly stranger: string | undefined;
}

/** What is found in a chain of blocks with these notices; of the last one the `extra` are in it though its results do not have them. */
async function found(blocks: readonly (readonly Notice[])[], extra: readonly Notice[] = []): Promise<Found> {
  const chain = buildChain();
  for (const [index, notices] of blocks.entries()) {
    const isLast = index === blocks.length - 1;
    const withExtra = (batch: SealedBatch): SealedBatch => {
      const all = [...batch.notices, ...extra];
      const { origin, number, records } = batch;
      const id = batchId(batchBytes(genesis.hash, { chain: 1, origin, number, notices: all, records }));
      const words = batch.acknowledgements.map(({ verified }) => verified);
      return acknowledged({ genesis, service: 1 }, { origin, number, id, notices: all, records }, words);
    };
    chain.seal({ records: [], notices }, isLast && extra.length > 0 ? { batch: withExtra } : {});
  }
  async function* yielding() {
    yield* chain.blocks;
  }
  const report = await auditChain(genesis, genesis.chains[0]!, yielding);
  let found: string | undefined;
  try {
    verifyExport(genesisBytes, Buffer.concat(chain.blocks));
  } catch (error) {
    found = (error as Error).message;
  }
  return { audited: report.firstProblem?.what, stranger: found };
}

const good = { audited: undefined, stranger: undefined };

test("a chain that takes messages in their order, some in one block, is good", async () => {
  assert.deepEqual(await found([[told({ number: 0 })], [told({ number: 1 }), told({ number: 2 })]]), good);
});

test("a message twice, ahead of its turn, of another chain's, or of members of whom there are too few is found", async () => {
  const first = [told({ number: 0 })];
  for (const [extra, stated] of [
    [told({ number: 0 }), /not the next of its chain/],
    [told({ number: 2 }), /not the next of its chain/],
    [told({ number: 1, to: 3 }), /for another chain/],
    [told({ number: 0, from: 77 }), /chain that is not known/],
    [told({ number: 1, orderedAt: 4 }), /order out of turn/],
  ] as const) {
    const both = await found([first], [extra]);
    assert.match(both.audited ?? "nothing", /message or deadline does not apply/);
    assert.match(both.stranger ?? "nothing", stated);
  }
});

test("a message that no quorum of its chain has sealed is found, though all else about it is right", async () => {
  for (const signers of [quorum.slice(0, 2), [...quorum.slice(0, 2), stranger], []]) {
    const both = await found([[told({ number: 0 })], [told({ number: 1 }, signers)]]);
    assert.match(both.audited ?? "nothing", /certificate/);
    assert.match(both.stranger ?? "nothing", /sealed by no members/);
  }
});

test("a fifth message of one chain in a block is found", async () => {
  const four = [0, 1, 2, 3].map((number) => told({ number }));
  assert.deepEqual(await found([four]), good);
  const both = await found([four], [told({ number: 4 })]);
  assert.match(both.audited ?? "nothing", /message or deadline does not apply/);
  assert.match(both.stranger ?? "nothing", /of one chain too many/);
});

test("a notice that something is due, where nothing is, is found", async () => {
  const both = await found([[told({ number: 0 })]], [{ kind: "due", bytes: encodeDue(5) }]);
  assert.match(both.audited ?? "nothing", /message or deadline does not apply/);
  assert.match(both.stranger ?? "nothing", /due which is not/);
});

test("a message whose receipt is of another, of another block, or whose bytes are none is not read", () => {
  const other = messageItem({ from: 3, to: 1, number: 0, body: "other" });
  const of = (change: Partial<ToldMessage>) =>
    carriedMessage(genesis, quorum, { from: 3, to: 1, number: 0, ...change });
  assert.equal(decodeCarried(of({})).message.number, 0);
  assert.throws(() => decodeCarried(of({ sealed: other })), /receipt of something else/);
  const long = "x".repeat(16_384);
  assert.throws(() => decodeCarried(of({ body: long })), /body has/);
  const bytes = of({});
  for (let length = 0; length < bytes.length; length += 1) {
    assert.throws(() => decodeCarried(bytes.subarray(0, length)), WireError);
  }
});

// What a page takes from a block: its effects, once its seal holds. One that a node has changed, a bill's amount here, is said to be wrong.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Block, decodeBlock, encodeBlock } from "../../src/wire/block.js";
import { WireError } from "../../src/wire/error.js";
import type { EntryOutcome } from "../../src/wire/outcome.js";
import { encodeValue } from "../../src/wire/value.js";
import { browserVerify } from "../../tools/explorer/verification/signatures.js";
import { encodeResults } from "../../tools/ledger/violations.js";
import { buildChain, makeMeter } from "../audit/chain-builder.js";

/** Of a file that is written for a browser: its types are not those of a test. */
interface Sealed {
  sealedBlock(network: object, service: number, height: number): Promise<Block>;
  effectsIn(block: Block, contract: string): readonly { readonly name: string; readonly body: unknown }[];
}
const load = (name: string): Promise<unknown> => import(`../../tools/explorer/network/${name}.js`);
const { sealedBlock, effectsIn } = (await load("sealed")) as Sealed;

function resultsOf(amount: number): Uint8Array {
  const body = encodeValue({ community: "sun", point: "house", amount });
  const entry = { kind: "operation", leaf: 1 } as const;
  const bill: EntryOutcome = { type: "done", entry, contract: "community", used: 9, effects: [{ name: "bill", body }] };
  return encodeResults({ violations: [], outcomes: [bill], slots: [] });
}

const meter = makeMeter(1);
const chain = buildChain();
const parts = { records: [meter.record()], credentials: [meter.credential] };
const bytes = chain.seal(parts, { content: (content) => ({ ...content, results: resultsOf(4_200) }) });

/** A node that answers with these bytes. */
function networkOf(answer: Uint8Array): object {
  const { genesis } = chain;
  const question = {
    ...{ bytes: answer, genesis, service: 1, height: 1, verify: browserVerify },
    members: async () => genesis.chains[0]!.members,
    previous: async () => genesis.hash,
    credential: async () => meter.credential,
    rest: async () => {},
  };
  return { question: async () => question };
}

test("a bill is taken from a block whose seal holds", async () => {
  const block = await sealedBlock(networkOf(bytes), 1, 1);
  assert.deepEqual(
    effectsIn(block, "community").map(({ name, body }) => [name, body]),
    [["bill", { community: "sun", point: "house", amount: 4_200 }]],
  );
  assert.deepEqual(effectsIn(block, "auction"), []);
});

test("an effect that a node tells otherwise is wrong, and nothing is taken of its block", async () => {
  const altered = encodeBlock({ ...decodeBlock(bytes), results: resultsOf(1) });
  await assert.rejects(sealedBlock(networkOf(altered), 1, 1), (error) => {
    assert.ok(error instanceof WireError);
    assert.equal(error.message, "block 1: what the block holds does not lead to its header's Merkle root");
    return true;
  });
});

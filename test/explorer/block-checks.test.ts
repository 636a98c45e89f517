// The checks of a block as a browser makes them, against chains that are good but for one thing.

import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBlock, encodeBlock } from "../../src/wire/block.js";
import { toHex } from "../../src/wire/bytes.js";
import { keyId } from "../../src/wire/key.js";
import { signerFromScalar, signerFromSeed } from "../../tools/crypto/signatures.js";
import { type BlockQuestion, contentChecks, sealChecks } from "../../tools/explorer/verification/block-checks.js";
import { type Finding, findingsOf } from "../../tools/explorer/verification/finding.js";
import { browserVerify } from "../../tools/explorer/verification/signatures.js";
import { buildChain, type ChainBuilder, makeMeter } from "../audit/chain-builder.js";

const meter = makeMeter(1);

function goodChain(): ChainBuilder {
  const chain = buildChain();
  chain.seal({ records: [makeMeter(1).record()], credentials: [meter.credential] });
  return chain;
}

async function findings(chain: ChainBuilder, change: Partial<BlockQuestion> = {}): Promise<readonly Finding[]> {
  const question: BlockQuestion = {
    bytes: chain.blocks[0]!,
    genesis: chain.genesis,
    service: 1,
    height: 1,
    members: async () => chain.genesis.chains[0]!.members,
    previous: async () => chain.genesis.hash,
    credential: async () => meter.credential,
    verify: browserVerify,
    rest: async () => {},
    ...change,
  };
  const found: Finding[] = [];
  for await (const finding of findingsOf([...sealChecks, ...contentChecks], question)) found.push(finding);
  return found;
}

const wrongIn = (found: readonly Finding[]) => found.filter(({ state }) => state === "wrong").map(({ name }) => name);

test("a good block is verified in all checks", async () => {
  const found = await findings(goodChain());
  assert.deepEqual(
    found.map(({ name, state }) => `${name} ${state}`).filter((text) => !text.endsWith(" verified")),
    [],
  );
  assert.equal(found.length, 7);
});

test("each check finds its own wrong, and nothing behind it is called verified", async () => {
  const chain = goodChain();
  const good = decodeBlock(chain.blocks[0]!);
  const cases: readonly (readonly [string, Partial<BlockQuestion>])[] = [
    ["form", { bytes: chain.blocks[0]!.slice(1) }],
    ["place", { height: 2 }],
    ["tree", { bytes: encodeBlock({ ...good, time_ms: good.time_ms + 1 }) }],
    ["seal", { members: async () => chain.genesis.chains[0]!.members.slice(1) }],
    ["link", { previous: async () => new Uint8Array(32) }],
  ];
  for (const [name, change] of cases) {
    const found = await findings(chain, change);
    assert.deepEqual(wrongIn(found), [name], `what is wrong is found by ${name}`);
    assert.equal(found.at(-1)!.name, name, "checks end behind it");
  }
});

test("a record that its meter has not signed is wrong, and one whose credential nobody shows is open", async () => {
  const forged = buildChain();
  forged.seal({ records: [makeMeter(1).record({}, makeMeter(2).signer)], credentials: [meter.credential] });
  assert.deepEqual(wrongIn(await findings(forged)), ["records"]);
  const unknown = buildChain();
  unknown.seal({ records: [makeMeter(1).record()] });
  const found = await findings(unknown, { credential: async () => undefined });
  assert.deepEqual(wrongIn(found), []);
  assert.equal(found.at(-1)!.state, "open");
});

test("the browser's predicate takes what node:crypto signs, and nothing else", () => {
  const message = new TextEncoder().encode("a message");
  for (const signer of [signerFromSeed(new Uint8Array(32).fill(7)), signerFromScalar(new Uint8Array(32).fill(7))]) {
    const name = toHex(keyId(signer.key));
    const signature = signer.sign(message);
    assert.ok(browserVerify(signer.key, message, signature), `${name} is taken`);
    for (const at of [0, 31, 32, 63]) {
      const changed = Uint8Array.from(signature);
      changed[at]! ^= 1;
      assert.ok(!browserVerify(signer.key, message, changed), `${name} with byte ${at} changed is refused`);
    }
    assert.ok(!browserVerify(signer.key, message.slice(1), signature), `${name} of another message is refused`);
  }
});

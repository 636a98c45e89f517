// The checks of a block as a browser makes them, against chains that are good but for one thing.

import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBlock, encodeBlock } from "../../src/wire/block.js";
import { toHex } from "../../src/wire/bytes.js";
import { keyId } from "../../src/wire/key.js";
import { signerFromScalar, signerFromSeed } from "../../tools/crypto/signatures.js";
import { type BlockQuestion, contentChecks, sealChecks } from "../../tools/explorer/verification/block-checks.js";
import { eventComplaint } from "../../tools/explorer/verification/event-checks.js";
import { type Finding, findingsOf } from "../../tools/explorer/verification/finding.js";
import { browserVerify } from "../../tools/explorer/verification/signatures.js";
import { blockEvent } from "../../tools/node/api/events/block-event.js";
import { authority, buildChain, type ChainBuilder, makeMeter, operationOf } from "../audit/chain-builder.js";

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

test("a reading that a participant signs, an operation of a meter, and a record for another chain are wrong", async () => {
  const customer = makeMeter(1, [1, 3], authority, ["customer"]);
  const cases: readonly (readonly [Uint8Array, Uint8Array, RegExp])[] = [
    [makeMeter(1).record(), customer.credential, /a participant's, who signs no readings/],
    [operationOf(meter), meter.credential, /a meter's, which signs no operations/],
    [makeMeter(1).record({ service: 3 }), meter.credential, /it is for chain 3/],
  ];
  for (const [record, credential, words] of cases) {
    const chain = buildChain();
    chain.seal({ records: [record], credentials: [credential] });
    const found = await findings(chain, { credential: async () => credential });
    assert.deepEqual(wrongIn(found), ["records"]);
    assert.match(found.at(-1)!.reason!, words);
  }
});

test("a header with another time than its block's, or another target than its chain's, is out of place", async () => {
  for (const [name, change] of [
    ["time", { time_s: 1 }],
    ["target", { target: 0x207fffff }],
  ] as const) {
    const chain = buildChain();
    const parts = { records: [makeMeter(1).record()], credentials: [meter.credential] };
    chain.seal(parts, { header: (header) => ({ ...header, ...change }) });
    const found = await findings(chain);
    assert.deepEqual(wrongIn(found), ["place"]);
    assert.match(found.at(-1)!.reason!, new RegExp(`^header's ${name} is not the one`));
  }
});

test("what an event tells of a block is held against the block: header, records, violations, time", () => {
  const chain = goodChain();
  const block = decodeBlock(chain.blocks[0]!);
  const event = blockEvent(block);
  assert.equal(eventComplaint(event, block), undefined);
  const other = { kind: "gap", meter: "0".repeat(16), seq: 1 } as const;
  const cases: readonly (readonly [Partial<typeof event>, RegExp])[] = [
    [{ header: "0".repeat(64) }, /another block than it serves/],
    [{ records: 7 }, /^the node tells of 7 records, the block has 1$/],
    [{ found: [other] }, /^the node tells of 1 violations, the block has 0$/],
    [{ violations: 3 }, /^the node tells of 3 violations of the chain, the block has 0$/],
    [{ time_ms: 5 }, /^the node tells of 5 milliseconds as its time/],
  ];
  for (const [change, words] of cases) {
    assert.match(eventComplaint({ ...event, ...change }, block) ?? "nothing", words);
  }
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

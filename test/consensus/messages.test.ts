import assert from "node:assert/strict";
import { generateKeyPairSync, sign, verify } from "node:crypto";
import { describe, test } from "node:test";
import fc from "fast-check";
import { NODES_MAX } from "../../src/wire/bounds.js";
import { fromHex, toHex } from "../../src/wire/bytes.js";
import { encodeCbor } from "../../src/wire/cbor.js";
import { WireError } from "../../src/wire/error.js";
import { createConsensus } from "../../tools/consensus/core.js";
import { decodeMessage, encodeMessage, signedBytes } from "../../tools/consensus/messages.js";
import { type Input, type Message, type NodeId, wideAreaTimeouts } from "../../tools/consensus/types.js";
import { bodyOf, idOf, prevote } from "./driver.js";
import { chain, genesisHash, nodeId } from "./keys.js";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const node = bytes(8).map(toHex);
const signature = bytes(64);
const height = fc.integer({ min: 1, max: 2 ** 40 - 2 });
const round = fc.nat(0xffffffff);
const choice = fc.option(bytes(32));
const vr = (below: number) => fc.integer({ min: -1, max: below - 1 });

const prevotes = fc
  .record({ height, round, id: choice, node, signature })
  .chain((vote) => vr(vote.round).map((vr) => ({ ...vote, type: "prevote" as const, vr })));
const precommits = fc.record({ type: fc.constant("precommit" as const), height, round, id: choice, node, signature });
const heads = fc
  .record({ height, round, id: bytes(32), bodyHash: bytes(32), node, signature })
  .chain((head) => vr(head.round).map((vr) => ({ ...head, type: "head" as const, vr })));
const statements = fc.oneof(prevotes, precommits, heads);

const polkas = fc
  .record({ height, round, id: bytes(32), signers: fc.array(fc.tuple(node, signature), { maxLength: 7 }) })
  .map(({ height, round, id, signers }) => ({
    type: "polka" as const,
    height,
    round,
    id,
    votes: signers.map(([node, signature]) => ({
      type: "prevote" as const,
      height,
      round,
      id,
      vr: -1,
      node,
      signature,
    })),
  }));

const proposals = fc
  .tuple(
    polkas,
    fc.record({ ahead: fc.integer({ min: 1, max: 9 }), body: fc.uint8Array(), node, signature, fresh: fc.boolean() }),
  )
  .map(([polka, { ahead, body, node, signature, fresh }]) => {
    const again = !fresh && polka.votes.length > 0;
    const round = again ? Math.min(0xffffffff, polka.round + ahead) : polka.round;
    const { height, id } = polka;
    const vr = again && polka.round < round ? polka.round : -1;
    return {
      type: "proposal" as const,
      height,
      round,
      vr,
      id,
      body,
      polka: vr < 0 ? [] : polka.votes,
      node,
      signature,
    };
  });

const rounds = fc
  .record({ height, votes: fc.array(fc.oneof(prevotes, precommits), { maxLength: 8 }) })
  .map(({ height, votes }) => ({ type: "round" as const, height, votes: votes.map((vote) => ({ ...vote, height })) }));
const decisions = fc
  .record({ height, id: bytes(32), round, signers: fc.array(fc.tuple(bytes(8), signature), { maxLength: 7 }) })
  .map(({ height, id, round, signers }) => ({
    type: "decision" as const,
    height,
    id,
    certificate: { round, signatures: signers.map(([node, signature]) => ({ node, signature })) },
  }));
const statuses = fc.record({ type: fc.constant("status" as const), height });
const inquiries = fc.record({
  type: fc.constantFrom("inquiry" as const, "vouch" as const),
  height,
  run: fc.maxSafeNat(),
});
const evidence = fc.record({ type: fc.constant("evidence" as const), first: statements, second: statements });
const messages: fc.Arbitrary<Message> = fc.oneof(
  proposals,
  prevotes,
  precommits,
  polkas,
  rounds,
  decisions,
  statuses,
  inquiries,
  evidence,
);

describe("the codec", () => {
  test("reads what it wrote", () => {
    fc.assert(
      fc.property(messages, (message) =>
        assert.deepEqual(decodeMessage(encodeMessage(message)), structuredClone(message)),
      ),
    );
  });

  test("refuses changed bytes with a WireError, or encodes them to the same bytes again", () => {
    fc.assert(
      fc.property(messages, fc.nat(), fc.nat(255), fc.boolean(), (message, place, byte, cut) => {
        const encoded = encodeMessage(message);
        const index = place % encoded.length;
        const changed = cut ? encoded.slice(0, index) : encoded.slice();
        if (!cut) changed[index] = byte;
        checkDecoding(changed);
      }),
      { numRuns: 2_000 },
    );
  });

  test("refuses any bytes that are no message", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), checkDecoding));
  });

  test("refuses wrong lengths, ranges and counts", () => {
    const id = new Uint8Array(32);
    const self = new Uint8Array(8);
    const signed = new Uint8Array(64);
    const vote = (index: number) => [new Uint8Array(8).fill(index), -1, signed];
    for (const wrong of [
      [],
      [0, 1],
      [9, 1],
      [7],
      [7, -1],
      [7, 1, 1],
      [2, 1, 0, new Uint8Array(31), -1, self, signed],
      [2, 1, 0, id, 0, self, signed],
      [2, 1, 0, id, -2, self, signed],
      [2, 1, 0x1_0000_0000, id, -1, self, signed],
      [2, 1, 0, id, -1, new Uint8Array(7), signed],
      [3, 1, 0, id, self, new Uint8Array(63)],
      [1, 1, 1, 0, id, new Uint8Array(0), [], self, signed],
      [1, 1, 1, -1, id, new Uint8Array(0), [vote(1)], self, signed],
      [4, 1, 1, id, Array.from({ length: NODES_MAX + 1 }, (_, index) => vote(index))],
      [5, 1, [[3, 2, 0, id, self, signed]]],
      [5, 1, [[1, 1, 0, -1, id, id, self, signed]]],
      [8, [7, 1], [7, 1]],
    ]) {
      assert.throws(() => decodeMessage(encodeCbor(wrong)), WireError, JSON.stringify(wrong).slice(0, 60));
    }
  });

  test("every kind of statement, chain, network, height and round signs other bytes", () => {
    const vote = prevote(0, 1, "A", 0);
    const all = [
      signedBytes(genesisHash, chain, vote),
      signedBytes(genesisHash, chain + 1, vote),
      signedBytes(new Uint8Array(32), chain, vote),
      signedBytes(genesisHash, chain, { ...vote, height: vote.height + 1 }),
      signedBytes(genesisHash, chain, { ...vote, round: 2 }),
      signedBytes(genesisHash, chain, { ...vote, id: null }),
      signedBytes(genesisHash, chain, { ...vote, vr: -1 }),
      signedBytes(genesisHash, chain, { type: "precommit", height: vote.height, round: 1, id: vote.id }),
    ].map(toHex);
    assert.equal(new Set(all).size, all.length);
  });
});

function checkDecoding(encoded: Uint8Array): void {
  let message: Message;
  try {
    message = decodeMessage(encoded);
  } catch (error) {
    assert.ok(error instanceof WireError, String(error));
    return;
  }
  assert.deepEqual(encodeMessage(message), encoded);
}

test("four members with Ed25519 keys of node:crypto decide one value over the wire", () => {
  const ids: NodeId[] = [0, 1, 2, 3].map(nodeId);
  const keys = new Map(ids.map((id) => [id, generateKeyPairSync("ed25519")]));
  const cores = new Map(
    ids.map((self) => [
      self,
      createConsensus({
        genesisHash,
        chain,
        self,
        members: ids,
        height: 1,
        timeouts: wideAreaTimeouts,
        abstain: false,
        run: 1,
        sign: (message) => Uint8Array.from(sign(null, message, keys.get(self)!.privateKey)),
        verify: (id, message, signature) => verify(null, message, keys.get(id)!.publicKey, signature),
      }),
    ]),
  );
  const queue: { readonly to: NodeId; readonly input: Input }[] = [];
  const decided = new Map<NodeId, { readonly id: string; readonly signers: number }>();
  for (const to of ids) queue.push({ to, input: { type: "start" } }, { to, input: { type: "work", available: true } });
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { to: self, input } = next;
    for (const effect of cores.get(self)!.step(input, 0)) {
      if (effect.type === "send") {
        const message = decodeMessage(effect.bytes);
        const others = effect.to === "all" ? ids.filter((id) => id !== self) : [effect.to];
        for (const to of others) queue.push({ to, input: { type: "message", from: self, message } });
      } else if (effect.type === "build") {
        const { height, round } = effect;
        queue.push({ to: self, input: { type: "built", height, round, id: idOf("A"), body: bodyOf("A") } });
      } else if (effect.type === "validate") {
        const { height, round, id, fresh } = effect;
        queue.push({ to: self, input: { type: "validated", height, round, id, fresh, valid: true } });
      } else if (effect.type === "decide") {
        const { signatures } = effect.certificate;
        const genuine = signatures.filter(({ node, signature }) => {
          const statement = { type: "precommit" as const, height: 1, round: effect.round, id: effect.id };
          return verify(null, signedBytes(genesisHash, chain, statement), keys.get(toHex(node))!.publicKey, signature);
        });
        decided.set(self, { id: toHex(effect.id), signers: genuine.length });
      }
    }
  }
  assert.deepEqual(
    [...decided.values()],
    ids.map(() => ({ id: toHex(idOf("A")), signers: 3 })),
  );
  assert.ok(ids.every((id) => fromHex(id)?.length === 8));
});

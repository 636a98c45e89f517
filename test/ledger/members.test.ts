import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { acknowledgementBytes } from "../../src/wire/batch.js";
import { toHex } from "../../src/wire/bytes.js";
import { keyId } from "../../src/wire/key.js";
import { nodeVerify, signerFromSeed } from "../../tools/crypto/signatures.js";
import { acceptanceComplaint, falseSignerOf, memberSetOf } from "../../tools/ledger/members.js";

const keys = Array.from({ length: 8 }, (_, index) => signerFromSeed(new Uint8Array(32).fill(index + 1)).key);
const all = keys.map((key) => ({ id: keyId(key), key }));
const set = memberSetOf(all.slice(0, 7), 3);
const by = (positions: readonly number[], stored: readonly number[] = []) =>
  positions.map((position) => ({ node: all[position]!.id, verified: !stored.includes(position) }));

test("takes a member's temporary block that a quorum has acknowledged in the order of the members", () => {
  fc.assert(
    fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6]), fc.nat(6), (positions, origin) => {
      const complaint = acceptanceComplaint(set, { origin: all[origin]!.id, acknowledgements: by(positions) });
      const ordered = positions.every((position, index) => index === 0 || position > positions[index - 1]!);
      assert.equal(complaint === undefined, ordered && positions.length >= set.quorum);
    }),
  );
});

test("takes no temporary block that fewer have verified than are to, and where all are to, a quorum is enough", () => {
  const positions = [0, 1, 2, 3, 4, 5, 6];
  fc.assert(
    fc.property(fc.subarray(positions), fc.nat(6), fc.integer({ min: 1, max: 7 }), (stored, origin, verifiers) => {
      const members = memberSetOf(all.slice(0, 7), verifiers);
      const acknowledgements = by(positions, stored);
      const complaint = acceptanceComplaint(members, { origin: all[origin]!.id, acknowledgements });
      assert.equal(complaint === undefined, 7 - stored.length >= Math.min(verifiers, members.quorum));
    }),
  );
});

test("finds who has not signed what an acknowledgement says", () => {
  const signers = keys.map((_, index) => signerFromSeed(new Uint8Array(32).fill(index + 1)));
  const name = { origin: all[0]!.id, number: 3, id: new Uint8Array(32).fill(9) };
  const place = { genesisHash: new Uint8Array(32), chain: 1 };
  const good = [0, 1, 2].map((index) => {
    const verified = index < 2;
    const signature = signers[index]!.sign(acknowledgementBytes(place.genesisHash, place.chain, name, verified));
    return { node: all[index]!.id, signature, verified };
  });
  const signerOf = (acknowledgements: typeof good) =>
    falseSignerOf(set, place, { ...name, acknowledgements }, nodeVerify);
  assert.equal(signerOf(good), undefined);
  assert.equal(signerOf(good.with(2, { ...good[2]!, verified: true })), toHex(all[2]!.id), "it has said stored");
  assert.equal(signerOf(good.with(1, { ...good[1]!, node: all[7]!.id })), toHex(all[7]!.id), "it is no member");
});

test("takes no temporary block of a stranger, and counts no acknowledgement of one or twice", () => {
  const acknowledgements = by([0, 1, 2, 3, 4]);
  assert.match(acceptanceComplaint(set, { origin: all[7]!.id, acknowledgements }) ?? "", /not of a member/);
  for (const positions of [
    [0, 1, 2, 3, 7],
    [0, 1, 2, 3, 3],
  ]) {
    const complaint = acceptanceComplaint(set, { origin: all[0]!.id, acknowledgements: by(positions) });
    assert.match(complaint ?? "", /members in their order/);
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { keyId } from "../../src/wire/key.js";
import { signerFromSeed } from "../../tools/crypto/signatures.js";
import { acceptanceComplaint, memberSetOf } from "../../tools/ledger/members.js";

const keys = Array.from({ length: 8 }, (_, index) => signerFromSeed(new Uint8Array(32).fill(index + 1)).key);
const all = keys.map((key) => ({ id: keyId(key), key }));
const set = memberSetOf(all.slice(0, 7));
const by = (positions: readonly number[]) => positions.map((position) => ({ node: all[position]!.id }));

test("takes a member's temporary block that a quorum has acknowledged in the order of the members", () => {
  fc.assert(
    fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6]), fc.nat(6), (positions, origin) => {
      const complaint = acceptanceComplaint(set, { origin: all[origin]!.id, acknowledgements: by(positions) });
      const ordered = positions.every((position, index) => index === 0 || position > positions[index - 1]!);
      assert.equal(complaint === undefined, ordered && positions.length >= set.quorum);
    }),
  );
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

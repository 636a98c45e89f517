import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compareBytes, toHex } from "../../src/wire/bytes.js";
import { type Division, isDivisionSignedBy, parseDivision, signDivision } from "../../src/wire/division.js";
import { isShareOf, shareCommitment } from "../../src/wire/envelope.js";
import { generateSeed, nodeVerify, signerFromSeed } from "../../tools/crypto/signatures.js";

const genesisHash = new Uint8Array(32).fill(7);
const signer = signerFromSeed(generateSeed());
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

const divisions = fc
  .record({
    envelope: bytes(32),
    dealer: bytes(8),
    parts: fc.uniqueArray(fc.tuple(bytes(8), bytes(34)), {
      minLength: 1,
      maxLength: 9,
      selector: ([node]) => toHex(node),
    }),
    opening: fc.nat(),
  })
  .map(({ parts, opening, ...rest }) => {
    const sorted = [...parts].sort(([one], [other]) => compareBytes(one, other));
    const custodians = sorted.map(([node, part]) => ({ node, commitment: shareCommitment(part) }));
    const division: Division = { ...rest, threshold: 1 + (opening % sorted.length), custodians };
    return { division, parts: sorted };
  });

test("a division is read as it was signed, and says whose part is whose", () => {
  fc.assert(
    fc.property(divisions, ({ division, parts }) => {
      const signed = signDivision(genesisHash, division, signer);
      assert.deepEqual(parseDivision(genesisHash, signed.bytes), signed);
      assert.ok(isDivisionSignedBy(genesisHash, signed, { key: signer.key, verify: nodeVerify }));
      for (const [node, part] of parts) assert.ok(isShareOf(signed, node, part));
      const other = signDivision(genesisHash, { ...division, dealer: new Uint8Array(8).fill(1) }, signer);
      const forged = { ...signed, signature: other.signature };
      const isSame = toHex(other.id) === toHex(signed.id);
      assert.equal(isDivisionSignedBy(genesisHash, forged, { key: signer.key, verify: nodeVerify }), isSame);
    }),
  );
});

test("whatever stands in its place is read or refused with a reason", () => {
  fc.assert(
    fc.property(divisions, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ division }, place, change) => {
      const changed = Uint8Array.from(signDivision(genesisHash, division, signer).bytes);
      changed[place % changed.length]! ^= change;
      try {
        const read = parseDivision(genesisHash, changed);
        assert.ok(read.threshold >= 1 && read.threshold <= read.custodians.length);
      } catch (error) {
        assert.equal((error as Error).name, "WireError");
      }
    }),
  );
});

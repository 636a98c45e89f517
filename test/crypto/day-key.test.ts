import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  combineShares,
  generateDayKey,
  openDisclosures,
  sealDisclosures,
  splitKey,
} from "../../tools/crypto/day-key.js";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

test("as many shares as the threshold open a day key, one less does not", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 10 }), fc.nat(), async (shares, seed) => {
      const threshold = 2 + (seed % (shares - 1));
      const key = generateDayKey();
      const all = await splitKey(key, shares, threshold);
      assert.deepEqual(await combineShares(all.slice(-threshold)), key, "the last of them");
      assert.deepEqual(await combineShares(all), key, "all of them");
      if (threshold < 3) return;
      assert.notDeepEqual(await combineShares(all.slice(0, threshold - 1)), key, "one too few");
    }),
    { numRuns: 25 },
  );
});

test("with a threshold of one each share is the key", async () => {
  const key = generateDayKey();
  const [share] = await splitKey(key, 1, 1);
  assert.deepEqual(await combineShares([share!]), key);
});

test("disclosures open with the day key for their own record alone", () => {
  fc.assert(
    fc.property(bytes(8), fc.nat(), bytes(32), fc.uint8Array(), (kid, seq, recordHash, plaintext) => {
      const key = generateDayKey();
      const place = { kid, seq, recordHash };
      const sealed = { ...place, envelope: new Uint8Array(32), ...sealDisclosures(key, place, plaintext) };
      assert.deepEqual(openDisclosures(key, sealed), plaintext, "its own");
      const other = Uint8Array.from(recordHash, (byte, index) => (index === 0 ? byte ^ 1 : byte));
      assert.equal(openDisclosures(key, { ...sealed, recordHash: other }), undefined, "another record");
      assert.equal(openDisclosures(key, { ...sealed, seq: seq + 1 }), undefined, "another number");
      assert.equal(openDisclosures(generateDayKey(), sealed), undefined, "another key");
      assert.equal(openDisclosures(key, { ...sealed, ciphertext: sealed.ciphertext.subarray(1) }), undefined, "cut");
    }),
  );
});

test("one record sealed twice has two ciphertexts: no nonce is used again", () => {
  const key = generateDayKey();
  const place = { kid: new Uint8Array(8), seq: 1, recordHash: new Uint8Array(32) };
  const [one, other] = [1, 2].map(() => sealDisclosures(key, place, Uint8Array.of(1, 2, 3)));
  assert.notDeepEqual(one!.nonce, other!.nonce);
  assert.notDeepEqual(one!.ciphertext, other!.ciphertext);
});

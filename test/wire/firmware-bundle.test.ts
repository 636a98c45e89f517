import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeCbor } from "../../src/wire/cbor.js";
import { sign1 } from "../../src/wire/cose.js";
import { WireError } from "../../src/wire/error.js";
import { type FirmwareBundle, issueBundle, verifyBundle } from "../../src/wire/firmware-bundle.js";
import { nodeVerify, signerFromSeed } from "../../tools/crypto/signatures.js";

const maker = signerFromSeed(new Uint8Array(32).fill(7));
const stranger = signerFromSeed(new Uint8Array(32).fill(8));
const hash = new Uint8Array(32).fill(5);

const bundles: fc.Arbitrary<FirmwareBundle> = fc
  .record({
    board: fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/),
    version: fc.nat(0x7fffffff),
    chip: fc.nat(0xffff),
    sizes: fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 16 }),
  })
  .map(({ board, version, chip, sizes }) => {
    let offset = 0;
    const parts = sizes.map((size, index) => {
      const part = { offset, size, hash, file: `part-${index}.bin` };
      offset += Math.ceil(size / 4_096) * 4_096;
      return part;
    });
    return { board, version, chip, flashBytes: offset, parts };
  });

test("reads every bundle that a maker issues, and none that another signed", () => {
  fc.assert(
    fc.property(bundles, (bundle) => {
      const bytes = issueBundle(bundle, maker);
      assert.deepEqual(verifyBundle(bytes, maker.key, nodeVerify), bundle);
      assert.throws(() => verifyBundle(bytes, stranger.key, nodeVerify), { code: "unproven" });
    }),
    { numRuns: 50 },
  );
});

const part = { offset: 0, size: 4_097, hash, file: "a.bin" };
const good: FirmwareBundle = { board: "devkit", version: 3, chip: 5, flashBytes: 65_536, parts: [part] };

test("refuses a bundle with any bit changed", () => {
  const bytes = issueBundle(good, maker);
  for (let bit = 0; bit < 8 * bytes.length; bit += 1) {
    const changed = bytes.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    assert.throws(() => verifyBundle(changed, maker.key, nodeVerify), WireError);
  }
});

test("refuses parts that overlap, leave the flash, share a file or begin within a sector, and paths for files", () => {
  const many = Array.from({ length: 17 }, (_, at) => ({ offset: 4_096 * at, size: 1, hash, file: `${at}` }));
  for (const change of [
    { parts: [] },
    { parts: many },
    { parts: [part, { ...part, offset: 4_096, file: "b.bin" }] },
    {
      parts: [
        { ...part, offset: 8_192 },
        { ...part, file: "b.bin" },
      ],
    },
    { parts: [part, { ...part, offset: 8_192 }] },
    { parts: [{ ...part, offset: 100 }] },
    { parts: [{ ...part, offset: 61_440 }] },
    { parts: [{ ...part, size: 0 }] },
    { parts: [{ ...part, file: "../a" }] },
    { parts: [{ ...part, hash: new Uint8Array(31) }] },
    { board: "Devkit" },
    { chip: 0x10000 },
    { flashBytes: 2 ** 27 + 1 },
  ]) {
    assert.throws(() => issueBundle({ ...good, ...change }, maker), WireError, JSON.stringify(change));
  }
  assert.throws(() => verifyBundle(sign1(encodeCbor(new Map([[1, 2]])), maker), maker.key, nodeVerify), {
    code: "unsupported",
  });
});

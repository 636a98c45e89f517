import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeCbor } from "../../src/wire/cbor.js";
import { sign1 } from "../../src/wire/cose.js";
import { WireError } from "../../src/wire/error.js";
import { type Firmware, IMAGE_BYTES_MAX, issueFirmware, verifyFirmware } from "../../src/wire/firmware.js";
import { nodeVerify, signerFromSeed } from "../../tools/crypto/signatures.js";

const maker = signerFromSeed(new Uint8Array(32).fill(7));
const stranger = signerFromSeed(new Uint8Array(32).fill(8));

const firmwares: fc.Arbitrary<Firmware> = fc
  .record({
    board: fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/),
    version: fc.integer({ min: 1, max: 0x7fffffff }),
    least: fc.nat(),
    size: fc.integer({ min: 1, max: IMAGE_BYTES_MAX }),
    hash: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Uint8Array.from(bytes)),
    file: fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/),
  })
  .map((firmware) => ({ ...firmware, least: firmware.least % firmware.version }));

test("reads every manifest that a maker issues, and none that another signed", () => {
  fc.assert(
    fc.property(firmwares, (firmware) => {
      const bytes = issueFirmware(firmware, maker);
      assert.deepEqual(verifyFirmware(bytes, maker.key, nodeVerify), firmware);
      assert.throws(() => verifyFirmware(bytes, stranger.key, nodeVerify), { code: "unproven" });
    }),
    { numRuns: 50 },
  );
});

test("refuses a manifest with any bit changed", () => {
  const firmware = {
    board: "devkit",
    version: 3,
    least: 2,
    size: 1000,
    hash: new Uint8Array(32),
    file: "devkit-3.bin",
  };
  const bytes = issueFirmware(firmware, maker);
  for (let bit = 0; bit < 8 * bytes.length; bit += 1) {
    const changed = bytes.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    assert.throws(() => verifyFirmware(changed, maker.key, nodeVerify), WireError);
  }
});

test("refuses what no meter could act on: a path, an empty image, a least version that is not below, an unknown entry", () => {
  const good = { board: "devkit", version: 3, least: 0, size: 1, hash: new Uint8Array(32), file: "a.bin" };
  for (const change of [
    { file: "../a" },
    { file: "a/b" },
    { file: ".hidden" },
    { file: "" },
    { size: 0 },
    { size: IMAGE_BYTES_MAX + 1 },
    { least: 3 },
    { board: "Devkit" },
    { board: "" },
    { hash: new Uint8Array(31) },
    { version: 0x80000000 },
  ]) {
    assert.throws(() => issueFirmware({ ...good, ...change }, maker), WireError, JSON.stringify(change));
  }
  const foreign = sign1(encodeCbor(new Map([[1, 2]])), maker);
  assert.throws(() => verifyFirmware(foreign, maker.key, nodeVerify), { code: "unsupported" });
});

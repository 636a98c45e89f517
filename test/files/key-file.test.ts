// Key files of both algorithms: what is made is read again, signs what the cluster verifies, and what is damaged is refused unquoted.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { p256 } from "@noble/curves/nist.js";
import fc from "fast-check";
import { ESP256, equalKeys } from "../../src/wire/key.js";
import { isSafeKey } from "../../tools/crypto/safe-key.js";
import { generateScalar, nodeVerify, signerFromScalar } from "../../tools/crypto/signatures.js";
import { createKeyFile, keyAlgorithms, readKeyFile } from "../../tools/files/key-file.js";

test("a key of each algorithm is read as it was made, for its owner alone, and signs", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "gridseal-key-"));
  t.after(() => rm(folder, { recursive: true }));
  for (const algorithm of keyAlgorithms) {
    const path = join(folder, algorithm);
    const made = await createKeyFile(path, algorithm);
    const read = await readKeyFile(path);
    assert.ok(equalKeys(made.key, read.key) && isSafeKey(made.key));
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (message) => {
        assert.ok(nodeVerify(made.key, message, read.sign(message)));
      }),
      { numRuns: 20 },
    );
    const text = await readFile(path, "utf8");
    const document = JSON.parse(text) as Record<string, string>;
    const secret = document.seed ?? document.scalar!;
    const damaged: readonly (readonly [object, RegExp])[] = [
      [{ ...document, id: "00".repeat(8) }, /is not that of its id/],
      [{ ...document, seed: undefined, scalar: undefined }, /has no (seed|scalar) of 32 bytes/],
      [{ ...document, seed: `${secret}00`, scalar: `${secret}00` }, /has no (seed|scalar) of 32 bytes/],
      [{ ...document, scalar: "ff".repeat(32), seed: "ff".repeat(32) }, /is damaged/],
      [{ ...document, algorithm: "RSA" }, /not of version 1 with a key of Ed25519 or ESP256/],
    ];
    for (const [change, reason] of damaged) {
      const spoilt = join(folder, "spoilt");
      await writeFile(spoilt, JSON.stringify(change), { mode: 0o600 });
      await assert.rejects(readKeyFile(spoilt), (error: Error & { code?: string }) => {
        assert.match(error.message, reason);
        assert.equal(error.code, "KEY_INVALID");
        return !error.message.includes(secret);
      });
    }
  }
});

test("a P-256 key is the one that noble makes of the scalar, and its signatures have the lower s", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.uint8Array({ maxLength: 40 }), (number, message) => {
      const small = new Uint8Array(32);
      new DataView(small.buffer).setUint32(28, number);
      for (const scalar of [small, generateScalar()]) {
        const { key, sign } = signerFromScalar(scalar);
        assert.ok(key.algorithm === ESP256);
        const point = p256.getPublicKey(scalar, false);
        assert.deepEqual([key.x, key.y], [point.slice(1, 33), point.slice(33)]);
        const signature = sign(message);
        assert.ok(p256.verify(signature, message, point, { lowS: true }));
        assert.ok(nodeVerify(key, message, signature));
      }
    }),
    { numRuns: 30 },
  );
  for (const bad of [new Uint8Array(32), new Uint8Array(32).fill(255), new Uint8Array(31)]) {
    assert.throws(() => signerFromScalar(bad), RangeError);
  }
});

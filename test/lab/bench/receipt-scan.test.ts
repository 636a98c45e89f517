import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeReceipt } from "../../../src/wire/receipt.js";
import { recordHashOffset } from "../../../tools/lab/bench/receipt-scan.js";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const receipts = fc.record({
  network: fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/),
  chain: fc.integer({ min: 1, max: 65_535 }),
  height: fc.integer({ min: 1, max: 2 ** 40 }),
  recordHash: bytes(32),
  leaf: fc.nat(),
  size: fc.nat(),
  path: fc.array(bytes(32), { maxLength: 4 }),
  header: bytes(80),
  certificate: fc.constant({ round: 0, signatures: [] }),
});

test("finds the record hash of every receipt", () => {
  fc.assert(
    fc.property(receipts, (receipt) => {
      const encoded = Buffer.from(encodeReceipt(receipt));
      const offset = recordHashOffset(encoded)!;
      assert.deepEqual(Uint8Array.from(encoded.subarray(offset, offset + 32)), Uint8Array.from(receipt.recordHash));
    }),
  );
});

test("finds none in a receipt that is cut short or in other bytes", () => {
  fc.assert(
    fc.property(receipts, (receipt) => {
      const encoded = Buffer.from(encodeReceipt(receipt));
      const offset = recordHashOffset(encoded)!;
      for (let length = 0; length < offset + 32; length += 1) {
        assert.equal(recordHashOffset(encoded.subarray(0, length)), undefined);
      }
    }),
    { numRuns: 20 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      recordHashOffset(Buffer.from(noise)); // throws nothing
    }),
  );
});

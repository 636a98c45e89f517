import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type CborValue, decodeCbor, encodeCbor } from "../../../src/wire/cbor.js";
import { mutateBytes, mutateCbor } from "../../../tools/lab/fuzz/mutate.js";
import { createRandom } from "../../../tools/lab/rig/random.js";

const bytes = fc.uint8Array({ maxLength: 400 });
const seed = fc.integer({ min: 0, max: 0xffffffff });
const value: fc.Arbitrary<CborValue> = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.integer(),
    fc.uint8Array({ maxLength: 40 }),
    fc.constant("text"),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 5 }),
    fc
      .uniqueArray(fc.tuple(fc.integer({ min: -9, max: 40 }), tie("value")), { maxLength: 5, selector: ([key]) => key })
      .map((entries) => new Map(entries)),
  ),
})).value;

test("the same seed makes the same change, and the message itself stays as it was", () => {
  fc.assert(
    fc.property(bytes, bytes, seed, (message, other, number) => {
      const before = Uint8Array.from(message);
      const first = mutateBytes(message, other, createRandom(number));
      assert.deepEqual(mutateBytes(message, other, createRandom(number)), first);
      assert.deepEqual(message, before);
    }),
  );
});

test("a message grows by a bounded number of bytes", () => {
  fc.assert(
    fc.property(bytes, bytes, seed, (message, other, number) => {
      assert.ok(mutateBytes(message, other, createRandom(number)).length <= message.length + 4 * 32);
    }),
  );
});

test("a changed CBOR message is CBOR again", () => {
  fc.assert(
    fc.property(value, seed, (content, number) => {
      const changed = mutateCbor(encodeCbor(content), createRandom(number));
      if (changed !== undefined) decodeCbor(changed, { size: 65_536, items: 4_096 });
    }),
  );
});

test("most changes of a CBOR message change it", () => {
  const message = encodeCbor([1, Uint8Array.of(1, 2, 3), "text", new Map<number, CborValue>([[1, [7, null]]])]);
  let changed = 0;
  for (let number = 0; number < 200; number += 1) {
    const result = mutateCbor(message, createRandom(number));
    if (result !== undefined && Buffer.compare(result, message) !== 0) changed += 1;
  }
  assert.ok(changed > 150, `${changed} of 200`);
});

test("what is no CBOR is left to the changes on bytes", () => {
  assert.equal(mutateCbor(Uint8Array.of(0xff, 0x00), createRandom(1)), undefined);
});

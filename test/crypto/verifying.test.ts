import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ED25519, ESP256, keyId, type PublicKey, type Signer } from "../../src/wire/key.js";
import { parseRecord, signRecord } from "../../src/wire/record.js";
import { generateSeed, nodeVerify, signerFromSeed } from "../../tools/crypto/signatures.js";
import { verifyAsync, verifyOfAnybody, verifyRecords, verifySoon } from "../../tools/crypto/verifying.js";
import { createVerifyingMessage, verificationsIn } from "../../tools/crypto/verifying-message.js";

function bytes(length: number) {
  return fc.uint8Array({ minLength: length, maxLength: length });
}

const key: fc.Arbitrary<PublicKey> = fc.oneof(
  fc.record({ algorithm: fc.constant(ED25519), x: bytes(32) }, { noNullPrototype: true }),
  fc.record({ algorithm: fc.constant(ESP256), x: bytes(32), y: bytes(32) }, { noNullPrototype: true }),
);

test("hands a thread the signatures that it was given, as many as there is room for", () => {
  const verification = fc.record(
    { key, message: fc.uint8Array({ maxLength: 300 }), signature: bytes(64) },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(verification, { maxLength: 6 }), (verifications) => {
      const message = createVerifyingMessage();
      for (const given of verifications) assert.ok(message.add(given));
      assert.deepEqual([...verificationsIn(message.bytes())], verifications);
    }),
  );
  const large = { ...fc.sample(verification, 1)[0]!, message: new Uint8Array(100_000).fill(7) };
  const message = createVerifyingMessage();
  assert.ok(message.add(large));
  assert.equal(message.add(large), false);
  assert.deepEqual([...verificationsIn(message.bytes())], [large]);
});

test("answers each of many signatures as the predicate does, in whichever thread", async () => {
  const signers = Array.from({ length: 5 }, () => signerFromSeed(generateSeed()));
  const cases = Array.from({ length: 1_000 }, (_, index) => {
    const message = new TextEncoder().encode(`record ${index}`);
    const signature = signers[index % 5]!.sign(message);
    if (index % 7 === 0) signature[index % 64]! ^= 1;
    return { key: signers[(index % 11 === 0 ? index + 1 : index) % 5]!.key, message, signature };
  });
  const answers = await Promise.all(cases.map((given) => verifyAsync(given.key, given.message, given.signature)));
  assert.deepEqual(
    answers,
    cases.map((given) => nodeVerify(given.key, given.message, given.signature)),
  );
  assert.ok(answers.includes(true) && answers.includes(false));
});

function recordsOf(signer: Signer, count: number) {
  const claims = { service: 1, serviceId: 1, seq: 0, previous: new Uint8Array(0), quality: 2 };
  return Array.from({ length: count }, (_, time_s) => ({
    key: signer.key,
    record: signRecord({ ...claims, time_s }, [], signer, keyId(signer.key)),
  }));
}

test("says of many records whether all are signed by their keys", async () => {
  const good = recordsOf(signerFromSeed(generateSeed()), 150);
  assert.equal(await verifyRecords(good), true);
  assert.equal(await verifyRecords([]), true);
  for (const at of [0, 70, 149]) {
    const { key: known, record } = good[at]!;
    const changed = good.with(at, { key: known, record: record.with(-1, record.at(-1)! ^ 1) });
    const cut = good.with(at, { key: { ...known, x: known.x.subarray(1) }, record });
    assert.deepEqual(await Promise.all([verifyRecords(changed), verifyRecords(cut), verifyRecords(good)]), [
      false,
      false,
      true,
    ]);
  }
});

test("a record that nobody follows is verified all the same, and so is one that comes after it", async () => {
  const { key: signerKey, record } = recordsOf(signerFromSeed(generateSeed()), 1)[0]!;
  assert.equal(await verifySoon(signerKey, record), true);
  assert.equal(await verifySoon(signerKey, record.with(20, record[20]! ^ 1)), false);
  assert.equal(await verifySoon({ ...signerKey, x: signerKey.x.subarray(1) }, record), false);
});

test("members' records wait behind none of a flood of what anybody brought, and what meters bring is not held up for ever either", async () => {
  const signer = signerFromSeed(generateSeed());
  const bad = recordsOf(signer, 1)[0]!.record;
  bad[bad.length - 1]! ^= 1;
  let answered = 0;
  const flood = Array.from({ length: 6_000 }, async () => {
    assert.equal(await verifySoon(signer.key, bad), false);
    answered += 1;
  });
  const good = recordsOf(signer, 60);
  // The threads are at work on the flood.
  while (answered === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await verifyRecords(good), true);
  assert.ok(answered < 2_000, `${answered} of 6,000 came before`);
  // Members that never stop leave anybody a turn.
  let over = false;
  const members = Array.from({ length: 8 }, async () => {
    while (!over) await verifyRecords(good);
  });
  const { key: known, record } = good[0]!;
  const { signedBytes, signature } = parseRecord(record);
  assert.equal(await verifyOfAnybody(known, signedBytes, signature), true);
  await Promise.all(flood);
  over = true;
  await Promise.all(members);
});

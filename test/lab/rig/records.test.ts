import assert from "node:assert/strict";
import { test } from "node:test";
import { keyId } from "../../../src/wire/key.js";
import { parseRecord } from "../../../src/wire/record.js";
import { generateSeed, nodeVerify, signerFromSeed } from "../../../tools/crypto/signatures.js";
import { nextRecord, signedRecords } from "../../../tools/lab/rig/records.js";

test("signs a chain of records of about 250 bytes", () => {
  const signer = signerFromSeed(generateSeed());
  const meter = { signer, kid: keyId(signer.key), credential: new Uint8Array(0), registers: 5 };
  const records = [...signedRecords(meter, 3, 30, 1_700_000_000)];
  assert.equal(records.length, 30);
  let previous = new Uint8Array(0);
  for (const [seq, bytes] of records.entries()) {
    const record = parseRecord(bytes);
    assert.ok(bytes.length > 200 && bytes.length < 300);
    assert.ok(nodeVerify(signer.key, record.signedBytes, record.signature));
    assert.deepEqual(
      [record.claims.service, record.claims.seq, record.claims.previous, record.disclosures],
      [3, seq, previous, []],
    );
    previous = Uint8Array.from(record.hash);
  }
});

test("puts as many registers into a record as are asked for, each with a name of its own", () => {
  const signer = signerFromSeed(generateSeed());
  const meter = { signer, kid: keyId(signer.key), credential: new Uint8Array(0), registers: 80 };
  const { registers } = parseRecord(nextRecord(meter, 1, 0, new Uint8Array(0), 1_700_000_000)).claims;
  assert.equal(registers?.length, 80);
  assert.equal(new Set(registers?.map(({ obis }) => String(obis))).size, 80);
});

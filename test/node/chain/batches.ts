// Temporary blocks of four members, and acknowledgements that nobody verifies, for the tests of what keeps them.

import { keyId } from "../../../src/wire/key.js";
import { generateSeed, signerFromSeed } from "../../../tools/crypto/signatures.js";
import { makeBatch, type ReadBatch } from "../../../tools/ledger/compose.js";
import { memberSetOf } from "../../../tools/ledger/members.js";
import { executionRecord } from "../../../tools/ledger/record-scan.js";
import { makeRecord } from "./cluster.js";

const signers = Array.from({ length: 4 }, () => signerFromSeed(generateSeed()));
export const members = signers.map((signer, index) => ({
  id: keyId(signer.key),
  key: signer.key,
  name: `node-${index}`,
}));
export const set = memberSetOf(members, 2);
const meter = signerFromSeed(generateSeed());

/** A temporary block with one record. */
export function batch(number: number, origin = 0, seq = number): ReadBatch {
  const records = [makeRecord(meter, keyId(meter.key), { seq, previous: new Uint8Array(seq === 0 ? 0 : 32) })];
  const content = {
    chain: 1,
    origin: members[origin]!.id,
    number,
    notices: [],
  };
  return makeBatch(new Uint8Array(32), content, records.map(executionRecord), (bytes) => signers[origin]!.sign(bytes));
}

export const nameOf = (read: ReadBatch) => ({ origin: read.batch.origin, number: read.batch.number, id: read.id });
export const by = (node: number, verified = true) => ({
  node: members[node]!.id,
  signature: new Uint8Array(64).fill(verified ? node : 128 + node),
  verified,
});

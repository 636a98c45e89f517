import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { toHex } from "../../../src/wire/bytes.js";
import { issueGenesis, verifyGenesis } from "../../../src/wire/genesis.js";
import { keyId } from "../../../src/wire/key.js";
import { generateSeed, nodeVerify, signerFromSeed } from "../../../tools/crypto/signatures.js";
import { makeBatch } from "../../../tools/ledger/compose.js";
import { executionRecord } from "../../../tools/ledger/record-scan.js";
import type { TableName } from "../../../tools/node/store/codecs.js";
import { idKey, numberKey } from "../../../tools/node/store/keys.js";
import { findDamage, replaceStore } from "../../../tools/node/store/repair.js";
import { openStore } from "../../../tools/node/store/store.js";
import { openTables } from "../../../tools/node/store/tables.js";
import { createMeter, makeRecord, SERVICE } from "../chain/cluster.js";

const authority = signerFromSeed(generateSeed());
const signers = [1, 2].map(() => signerFromSeed(generateSeed()));
const members = signers.map(({ key }, index) => ({ id: keyId(key), key, name: `node-${index + 1}` }));
const chains = [{ service: SERVICE, name: "trading", members, target: 0 }];
const genesis = verifyGenesis(
  issueGenesis({ network: "test", time_s: 1, nodes: members, chains }, authority),
  nodeVerify,
);
const owner = { node: members[0]!.id, genesisHash: genesis.hash };

function meterOfTest() {
  const { signer, kid, credential } = createMeter(authority);
  return {
    kid,
    credential,
    record: (seq: number) => makeRecord(signer, kid, { seq, previous: new Uint8Array(seq === 0 ? 0 : 32) }),
  };
}

test("takes over what only this node has from every row that is whole, its own temporary blocks too, and nothing else", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "gridseal-repair-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "data");
  const [shown, onChain, lost] = [meterOfTest(), meterOfTest(), meterOfTest()];
  const batchOf = (index: number, records: readonly ReturnType<typeof makeRecord>[]) => {
    const origin = members[index]!.id;
    const content = { chain: SERVICE, origin, number: 0, notices: [] };
    const sign = (bytes: Uint8Array) => signers[index]!.sign(bytes);
    return { origin, number: 0, bytes: makeBatch(genesis.hash, content, records.map(executionRecord), sign).bytes };
  };
  const waiting = { kind: "order", bytes: new Uint8Array(40) } as const;
  const disclosures = new Uint8Array(60).fill(5);
  const store = await openStore(path, owner, false);
  await store.write((writer) => {
    for (const { kid, credential } of [shown, onChain, lost]) writer.putCredential(0, kid, credential);
    writer.putCredential(SERVICE, onChain.kid, onChain.credential);
    for (const seq of [0, 1]) writer.putAdmitted(SERVICE, shown.kid, seq, shown.record(seq).stripped);
    writer.putAdmitted(SERVICE, lost.kid, 0, lost.record(0).stripped);
    writer.putBatch(SERVICE, batchOf(0, [shown.record(2), onChain.record(0)]));
    writer.putBatch(SERVICE, batchOf(1, [shown.record(3)]));
    writer.putRuling(SERVICE, waiting.bytes.subarray(0, 8), waiting);
    writer.putDisclosures(SERVICE, shown.kid, 0, disclosures);
  });
  await store.close();
  assert.equal(await findDamage(path, owner, genesis), undefined);

  const damaged: readonly (readonly [TableName, Buffer])[] = [
    ["credentials", idKey(0, onChain.kid)],
    ["credentials", idKey(0, lost.kid)],
    ["admitted", numberKey(SERVICE, shown.kid, 1)],
  ];
  const tables = openTables(path, false);
  for (const [name, key] of damaged) {
    const row = Buffer.from(tables[name].get(key)!);
    row[row.length >> 1]! ^= 4;
    await tables[name].put(key, row);
  }
  await tables.root.close();
  assert.match((await findDamage(path, owner, genesis))!, /is damaged: .* of table credentials\)/);
  const { aside, ...counts } = await replaceStore(path, owner, genesis, new Date());
  assert.deepEqual(counts, { admitted: 3, disclosures: 1, credentials: 2, rulings: 1 });
  assert.ok(aside.startsWith(`${path}-damaged-`));
  assert.equal(await findDamage(path, owner, genesis), undefined);

  const made = await openStore(path, owner, true);
  t.after(() => made.close());
  assert.ok(made.isReplaced);
  const expected = [shown.record(0), shown.record(2), onChain.record(0)].map(({ stripped }) => toHex(stripped));
  assert.deepEqual(made.admitted(SERVICE).map(toHex).sort(), expected.sort());
  assert.deepEqual(made.batches(SERVICE), []);
  assert.deepEqual(
    made.rulings(SERVICE).map(({ kind }) => kind),
    ["order"],
  );
  assert.deepEqual(new Uint8Array(made.disclosures(SERVICE, shown.kid, 0)!), disclosures);
  assert.deepEqual(new Uint8Array(made.credential(0, onChain.kid)!), onChain.credential);
  assert.equal(made.credential(0, lost.kid), undefined);
});

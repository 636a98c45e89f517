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
import { admitted, admittedRecords } from "../../../tools/node/chain/tables/admitted.js";
import { batches, storedBatches } from "../../../tools/node/chain/tables/batches.js";
import { credentials } from "../../../tools/node/chain/tables/credentials.js";
import { putSealed, sealedDisclosures, sealedKey } from "../../../tools/node/chain/tables/sealed-disclosures.js";
import { waitingNotices } from "../../../tools/node/chain/tables/waiting-notices.js";
import { chainRange, idKey, numberKey } from "../../../tools/node/store/keys.js";
import { openEnvironment } from "../../../tools/node/store/lmdb.js";
import { openStore } from "../../../tools/node/store/open-store.js";
import { findDamage, replaceStore } from "../../../tools/node/store/repair.js";
import type { AnyTable } from "../../../tools/node/store/table.js";
import { createMeter, makeRecord, SERVICE } from "../chain/cluster.js";

const authority = signerFromSeed(generateSeed());
const signers = [1, 2].map(() => signerFromSeed(generateSeed()));
const members = signers.map(({ key }, index) => ({ id: keyId(key), key, name: `node-${index + 1}` }));
const chains = [{ service: SERVICE, name: "trading", members, target: 0, verifiers: 1 }];
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
    return {
      key: numberKey(SERVICE, origin, 0),
      bytes: makeBatch(genesis.hash, content, records.map(executionRecord), sign).bytes,
    };
  };
  const waiting = { kind: "order", bytes: new Uint8Array(40) } as const;
  const opening = {
    ...{ kid: shown.kid, seq: 0, recordHash: shown.record(0).hash, envelope: new Uint8Array(32).fill(4) },
    ...{ nonce: new Uint8Array(12).fill(5), ciphertext: new Uint8Array(60).fill(6) },
  };
  const place = { chain: SERVICE, origin: owner.node };
  const store = await openStore(path, owner, false);
  await store.write((writer) => {
    for (const { kid, credential } of [shown, onChain, lost]) writer.put(credentials, idKey(0, kid), credential);
    writer.put(credentials, idKey(SERVICE, onChain.kid), onChain.credential);
    for (const seq of [0, 1]) writer.put(admitted, numberKey(SERVICE, shown.kid, seq), shown.record(seq).stripped);
    writer.put(admitted, numberKey(SERVICE, lost.kid, 0), lost.record(0).stripped);
    for (const { key, bytes } of [batchOf(0, [shown.record(2), onChain.record(0)]), batchOf(1, [shown.record(3)])]) {
      writer.put(batches, key, bytes);
    }
    writer.put(waitingNotices, idKey(SERVICE, waiting.bytes.subarray(0, 8)), waiting);
    putSealed(writer, place, opening);
  });
  await store.close();
  assert.equal(await findDamage(path, owner, genesis), undefined);

  const damaged: readonly (readonly [AnyTable, Buffer])[] = [
    [credentials as AnyTable, idKey(0, onChain.kid)],
    [credentials as AnyTable, idKey(0, lost.kid)],
    [admitted as AnyTable, numberKey(SERVICE, shown.kid, 1)],
  ];
  const environment = openEnvironment(path, false);
  for (const [table, key] of damaged) {
    const row = Buffer.from(environment.row(table, key)!);
    row[row.length >> 1]! ^= 4;
    await environment.commit([{ table, key, row, kept: undefined }]);
  }
  await environment.close();
  assert.match((await findDamage(path, owner, genesis))!, /is damaged: .* of table credentials\)/);
  const { aside, rows } = await replaceStore(path, owner, genesis, new Date());
  assert.deepEqual(rows, {
    admitted: 3,
    sealedDisclosures: 1,
    envelopes: 0,
    divisions: 0,
    custodyKeys: 0,
    erasures: 0,
    destroyed: 0,
    credentials: 2,
    waitingNotices: 1,
  });
  assert.ok(aside.startsWith(`${path}-damaged-`));
  assert.equal(await findDamage(path, owner, genesis), undefined);

  const made = await openStore(path, owner, true);
  t.after(() => made.close());
  assert.ok(made.isReplaced);
  const expected = [shown.record(0), shown.record(2), onChain.record(0)].map(({ stripped }) => toHex(stripped));
  assert.deepEqual(admittedRecords(made, SERVICE).map(toHex).sort(), expected.sort());
  assert.deepEqual(storedBatches(made, SERVICE), []);
  assert.deepEqual(
    made.range(waitingNotices, chainRange(SERVICE)).map(({ row }) => row.kind),
    ["order"],
  );
  assert.deepEqual(made.get(sealedDisclosures, sealedKey(place, opening)), opening);
  assert.deepEqual(new Uint8Array(made.get(credentials, idKey(0, onChain.kid))!), onChain.credential);
  assert.equal(made.get(credentials, idKey(0, lost.kid)), undefined);
});

// What is erased is gone from the files: from free pages while the store is open, from everywhere once it was written anew, from backups.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { sealedDisclosures, sealedKey } from "../../../tools/node/chain/tables/sealed-disclosures.js";
import { envelopes } from "../../../tools/node/disclosures/tables/envelopes.js";
import { backupStore } from "../../../tools/node/store/backup.js";
import { hashKey } from "../../../tools/node/store/keys.js";
import { PAGES_FILE } from "../../../tools/node/store/lmdb.js";
import { openStore } from "../../../tools/node/store/open-store.js";
import { rewriteErased } from "../../../tools/node/store/rewriting.js";

const owner = { node: new Uint8Array(8).fill(1), genesisHash: new Uint8Array(32).fill(2) };
const kid = new Uint8Array(8).fill(3);
const ROWS = 400;

const keyOf = (row: Parameters<typeof sealedKey>[1]) => sealedKey({ chain: 1, origin: owner.node }, row);

/** Rows long and short, each erased one with a secret of its own; each was written in its own transaction. */
async function filled(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "gridseal-erasing-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const data = join(folder, "data");
  const store = await openStore(data, owner, false);
  const rows = Array.from({ length: ROWS }, (_, seq) => {
    const ciphertext = Uint8Array.from(randomBytes(seq % 9 === 0 ? 6_000 : 220));
    const place = { kid, seq, recordHash: Uint8Array.from(randomBytes(32)) };
    return { ...place, envelope: new Uint8Array(32), nonce: new Uint8Array(12), ciphertext };
  });
  const share = { enc: Uint8Array.from(randomBytes(32)), ciphertext: Uint8Array.from(randomBytes(49)) };
  const key = hashKey(1, kid, 20_700, new Uint8Array(8));
  await store.write((writer) =>
    writer.put(envelopes, key, { bytes: new Uint8Array(300), shares: [{ node: new Uint8Array(8), sealed: share }] }),
  );
  for (const row of rows) await store.write((writer) => writer.put(sealedDisclosures, keyOf(row), row));
  const erased = rows.filter(({ seq }) => seq % 4 === 1 || seq % 9 === 0);
  const secrets = [...erased.map(({ ciphertext }) => ciphertext.subarray(-24)), share.enc, share.ciphertext];
  /** how many of them are in a file of pages */
  const foundIn = (path: string) => {
    const file = readFileSync(join(path, PAGES_FILE));
    return secrets.filter((secret) => file.includes(Buffer.from(secret))).length;
  };
  const erase = () =>
    store.write((writer) => {
      writer.erase(envelopes, key);
      for (const row of erased) writer.erase(sealedDisclosures, keyOf(row));
    });
  return { folder, data, store, rows, erased, secrets, foundIn, erase };
}

test("erased rows leave no bytes in free pages, nor in a backup, nor in the file that is written anew", async (t) => {
  const { folder, data, store, rows, erased, secrets, foundIn, erase } = await filled(t);
  assert.equal(foundIn(data), secrets.length, "all are found before: the search finds what is there");
  await erase();
  await store.overwriteFree();
  const open = foundIn(data);
  assert.ok(open < secrets.length / 5, `beside rows of pages in use some bytes may stay until then: ${open}`);
  const backup = join(folder, "backup");
  await backupStore(data, backup);
  assert.equal(foundIn(backup), 0, "a backup of the open store");
  await store.close();
  await rewriteErased(data);
  assert.equal(foundIn(data), 0, "at the next start");
  const again = await openStore(data, owner, true);
  t.after(() => again.close());
  const gone = new Set(erased.map(({ seq }) => seq));
  for (const row of rows) {
    const found = again.get(sealedDisclosures, keyOf(row));
    if (gone.has(row.seq)) assert.equal(found, undefined, `row ${row.seq}`);
    else assert.deepEqual(Uint8Array.from(found!.ciphertext), row.ciphertext, `row ${row.seq}`);
  }
  assert.equal(again.isReplaced, false, "it is the same store");
});

test("overwriting what is free again and again does not make the file grow", async (t) => {
  const { data, store, erase } = await filled(t);
  t.after(() => store.close());
  await erase();
  const size = () => statSync(join(data, PAGES_FILE)).size;
  const before = size();
  for (let turn = 0; turn < 12; turn += 1) await store.overwriteFree();
  assert.ok(size() - before < 262_144, `it grew by ${size() - before} bytes`);
});

test("a store that is closed while free pages are overwritten closes, and opens again", async (t) => {
  const { data, store, erase } = await filled(t);
  await erase();
  const overwriting = store.overwriteFree();
  await new Promise((resolve) => setTimeout(resolve, 5));
  await store.close();
  await overwriting;
  await (await openStore(data, owner, true)).close();
});

test("a store in which nothing was erased is not written anew", async (t) => {
  const { data, store, foundIn, secrets } = await filled(t);
  await store.close();
  const before = readFileSync(join(data, PAGES_FILE));
  await rewriteErased(data);
  assert.ok(readFileSync(join(data, PAGES_FILE)).equals(before), "the file is the same");
  assert.equal(foundIn(data), secrets.length);
});

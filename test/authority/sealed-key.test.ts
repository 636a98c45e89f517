// The authority's own key under a passphrase: only that opens it, and what is not whole is refused without a word of what it holds.

import assert from "node:assert/strict";
import { createDecipheriv, scryptSync } from "node:crypto";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createSealedKey, openSealedKey } from "../../tools/authority/sealed-key.js";
import { signerFromSeed } from "../../tools/crypto/signatures.js";

const passphrase = "correct horse bättery";
let folder: string;
let path: string;
let key: Awaited<ReturnType<typeof createSealedKey>>["key"];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "gridseal-sealed-"));
  path = join(folder, "root.json");
  ({ key } = await createSealedKey(path, passphrase));
});
after(() => rm(folder, { recursive: true }));

const invalid = (error: Error & { code?: string }) => {
  assert.equal(error.code, "KEY_INVALID");
  assert.ok(!error.message.includes("horse"));
  return true;
};

test("opens by its passphrase, however an accent is typed, and by no other one", async () => {
  const opened = await openSealedKey(path, passphrase.normalize("NFD"));
  assert.deepEqual([opened.signer.key, opened.isTest], [key, false]);
  await assert.rejects(openSealedKey(path, `${passphrase} `), invalid);
});

test("the file says its cost, is its owner's alone, and holds the seed by scrypt and AES-256-GCM as anybody can compute", async () => {
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  const document = JSON.parse(await readFile(path, "utf8"));
  assert.deepEqual({ ...document.scrypt, salt: "" }, { N: 131_072, r: 8, p: 1, salt: "" });
  const salt = Buffer.from(document.scrypt.salt, "hex");
  const sealing = scryptSync(passphrase, salt, 32, { N: 131_072, r: 8, p: 1, maxmem: 2 ** 28 });
  const sealed = Buffer.from(document.sealed, "hex");
  const decipher = createDecipheriv("aes-256-gcm", sealing, Buffer.from(document.nonce, "hex"));
  decipher.setAAD(Buffer.from(document.id)).setAuthTag(sealed.subarray(32));
  const seed = Buffer.concat([decipher.update(sealed.subarray(0, 32)), decipher.final()]);
  assert.deepEqual(signerFromSeed(seed).key, key);
});

test("refuses a file that is damaged, weak, dear or of another kind", async () => {
  const text = await readFile(path, "utf8");
  const document = JSON.parse(text);
  const damaged = join(folder, "damaged.json");
  const flip = (hex: string) => (hex.startsWith("0") ? `1${hex.slice(1)}` : `0${hex.slice(1)}`);
  const { scrypt } = document;
  for (const change of [
    { sealed: flip(document.sealed) },
    { nonce: flip(document.nonce) },
    { id: flip(document.id) },
    { scrypt: { ...scrypt, salt: flip(scrypt.salt) } },
    { scrypt: { ...scrypt, N: 2 ** 10 } },
    { scrypt: { ...scrypt, N: 2 ** 21 } },
    { scrypt: { ...scrypt, N: 100_000 } },
    { scrypt: { ...scrypt, r: 64 } },
    { scrypt: undefined },
    { sealed: document.sealed.slice(2) },
    { cipher: "aes-256-cbc" },
    { version: 2 },
  ]) {
    await writeFile(damaged, JSON.stringify({ ...document, ...change }), { mode: 0o600 });
    await assert.rejects(openSealedKey(damaged, passphrase), invalid, JSON.stringify(change));
  }
  for (const other of ["", "null", "[]", text.slice(0, -4)]) {
    await writeFile(damaged, other);
    await assert.rejects(openSealedKey(damaged, passphrase), invalid);
  }
});

test("refuses a file that others may read, a short passphrase, and to write over a key", async () => {
  await chmod(path, 0o644);
  await assert.rejects(openSealedKey(path, passphrase), { code: "FILE_EXPOSED" });
  await chmod(path, 0o600);
  await assert.rejects(createSealedKey(join(folder, "weak.json"), "elevenchars"), { code: "USAGE" });
  await assert.rejects(createSealedKey(path, passphrase), { code: "FILE_EXISTS" });
});

test("the mark of a test network is sealed with the key: it can be neither taken away nor added", async () => {
  const marked = join(folder, "marked.json");
  await createSealedKey(marked, passphrase, true);
  assert.equal((await openSealedKey(marked, passphrase)).isTest, true);
  const { test: mark, ...without } = JSON.parse(await readFile(marked, "utf8"));
  assert.equal(mark, true);
  const plain = JSON.parse(await readFile(path, "utf8"));
  for (const changed of [without, { ...plain, test: true }, { ...plain, test: false }]) {
    const file = join(folder, "changed.json");
    await writeFile(file, JSON.stringify(changed), { mode: 0o600 });
    await assert.rejects(openSealedKey(file, passphrase), invalid);
  }
});

// An authority whose own key is sealed founds a network and issues by a key with a warrant.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { isDevice, verifyCredential } from "../../src/wire/credential.js";
import { equalKeys } from "../../src/wire/key.js";
import { createAuthority, readIssuing, readOwnKey, readOwnKeyOf } from "../../tools/authority/folder.js";
import { publicKeyFromHex } from "../../tools/authority/issue.js";
import { auditRegister } from "../../tools/authority/register/audit.js";
import { withRegister } from "../../tools/authority/register/register.js";
import { credentialsOf } from "../../tools/authority/register/rows.js";
import { renewCredential } from "../../tools/authority/renew.js";
import { nodeVerify } from "../../tools/crypto/signatures.js";
import { readGenesisFile } from "../../tools/files/genesis-file.js";
import { createNetwork } from "../../tools/provisioning/network.js";
import { provisionMeter } from "../../tools/provisioning/provision.js";

const now = new Date("2026-11-29T00:00:00Z");
const now_s = now.getTime() / 1_000;
const passphrase = "a passphrase for tests";
/** RFC 8032 section 7.1, test 1. */
const publicKey = publicKeyFromHex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
let root: string;
let folder: string;
let network: string;
let genesis: Awaited<ReturnType<typeof readGenesisFile>>["genesis"];

before(async () => {
  root = await mkdtemp(join(tmpdir(), "gridseal-authority-"));
  folder = join(root, "authority");
  network = join(root, "grid");
  const own = await createAuthority(folder, { network: "street", isTest: false }, passphrase, now);
  const chains = [{ service: 1, name: "trading", nodes: [1] }];
  const plan = { network: "street", nodes: 1, chains, meters: 1, host: "127.0.0.1", basePort: 9000, target: 0 };
  await createNetwork(network, plan, now, { folder, own });
  ({ genesis } = await readGenesisFile(join(network, "genesis.cbor")));
});
after(() => rm(root, { recursive: true }));

test("its own key signs the genesis, another one the credentials, which verify by the genesis alone", async () => {
  const own = await readOwnKeyOf(genesis, folder, async () => passphrase);
  const { signer } = await readIssuing(genesis, folder, now_s);
  assert.ok(equalKeys(own.key, genesis.authority) && !equalKeys(own.key, signer.key));
  const bytes = Uint8Array.from(await readFile(join(network, "meters/meter-1/keyvalue/credential")));
  const credential = verifyCredential(bytes, genesis, nodeVerify);
  assert.deepEqual([credential.roles, credential.origin], [["meter"], { key: "injected" }]);
});

test("a participant gets a credential with roles, jurisdiction and delivery key, once it is registered", async () => {
  const request = {
    ...{ network, authority: folder, id: "anna", publicKey, days: 30, force: false },
    roles: ["customer", "final-customer"] as const,
    stated: { jurisdiction: "AT", deliveryKey: new Uint8Array(32).fill(7) },
  };
  await assert.rejects(provisionMeter(request, now), { code: "REGISTER_REFUSED", message: /no device or participant/ });
  await withRegister(join(folder, "register"), (register) =>
    register.update(now_s, () => [
      { type: "organisation", organisation: { id: "home", name: "Home" } },
      { type: "participant", participant: { id: "anna", organisation: "home" } },
    ]),
  );
  const credential = verifyCredential((await provisionMeter(request, now)).credential, genesis, nodeVerify);
  assert.deepEqual([credential.roles, credential.services], [["customer", "final-customer"], []]);
  assert.deepEqual([credential.jurisdiction, credential.deliveryKey], ["AT", new Uint8Array(32).fill(7)]);
  assert.ok(!isDevice(credential) && credential.origin === undefined);
  const keyless = { ...request, id: "bert" } as Partial<typeof request> & typeof request;
  delete (keyless as { publicKey?: unknown }).publicKey;
  await assert.rejects(provisionMeter(keyless, now), { code: "USAGE", message: /participant, who makes the key/ });
  const wrong = { ...request, force: true, stated: { jurisdiction: "Austria" } };
  await assert.rejects(provisionMeter(wrong, now), { code: "USAGE", message: /jurisdiction/ });
});

test("a credential is renewed for the same key with all that it says, also after its end, and not once it is revoked", async () => {
  const { bytes: genesisBytes } = await readGenesisFile(join(network, "genesis.cbor"));
  const later_s = now_s + 300 * 86_400;
  const authority = { issuing: await readIssuing(genesis, folder, later_s), genesis, genesisBytes };
  await withRegister(join(folder, "register"), (register) => {
    const renew = (id: string) => renewCredential(authority, register, { id, days: 10 }, later_s).credential;
    const renewed = verifyCredential(renew("anna"), genesis, nodeVerify);
    const [before] = credentialsOf(register, "subjects", "anna");
    const known = verifyCredential(Uint8Array.from(Buffer.from(before!.bytes, "base64url")), genesis, nodeVerify);
    const { id: _id, expires_s: ends, notBefore_s: begins, statusIndex, ...rest } = renewed;
    const { id: _known, expires_s, notBefore_s, statusIndex: first, ...same } = known;
    assert.deepEqual(rest, same);
    assert.ok(expires_s < later_s && ends > later_s && begins > notBefore_s && statusIndex > first);
    assert.equal(before!.state, "renewed");
    register.update(later_s, () => [{ type: "state", meter: before!.meter, to: "revoked", reason: "test" }]);
    for (const id of ["anna", "nobody"]) assert.throws(() => renew(id), { code: "REGISTER_REFUSED" });
  });
});

test("all that was issued stands in the register, whose audit is good", async () => {
  await withRegister(join(folder, "register"), (register) => {
    assert.deepEqual(auditRegister(register).problems, []);
    for (const { row } of register.rows("credentials")) {
      const bytes = Uint8Array.from(Buffer.from(row.bytes, "base64url"));
      assert.equal(verifyCredential(bytes, genesis, nodeVerify).subject, row.subject);
    }
  });
});

test("nothing is issued by a key whose warrant has ended, is another's, or is for another network", async () => {
  await assert.rejects(readIssuing(genesis, folder, now_s + 3_650 * 86_400), {
    code: "KEY_INVALID",
    message: /it ended at 2036/,
  });
  const other = join(root, "other");
  const { signer: own } = await createAuthority(other, { network: "street", isTest: false }, passphrase, now);
  await assert.rejects(readIssuing(genesis, other, now_s), {
    code: "KEY_INVALID",
    message: /not signed by the authority/,
  });
  await assert.rejects(
    readOwnKeyOf(genesis, other, async () => passphrase),
    { code: "KEY_INVALID" },
  );
  assert.ok(!equalKeys(own.key, genesis.authority));
  const abroad = { ...genesis, network: "lane" };
  await assert.rejects(readIssuing(abroad, folder, now_s), {
    code: "NETWORK_DIFFERS",
    message: /is for network street, not lane/,
  });
  await writeFile(join(folder, "warrant.cose"), "none");
  await assert.rejects(readIssuing(genesis, folder, now_s), { code: "KEY_INVALID" });
});

test("an authority is never made over another", async () => {
  await assert.rejects(createAuthority(folder, { network: "street", isTest: false }, passphrase, now), {
    code: "FILE_EXISTS",
  });
  await assert.rejects(createAuthority(folder, { network: "street", isTest: true }, undefined, now), {
    code: "FILE_EXISTS",
  });
});

test("an authority for test networks founds no other network, issues nothing in one and orders nothing there; nor the other way round", async () => {
  const [tried, open] = [join(root, "tried"), join(root, "open")];
  const own = await createAuthority(tried, { network: "street", isTest: true }, passphrase, now);
  await createAuthority(open, { network: "street", isTest: true }, undefined, now);
  const chains = [{ service: 1, name: "trading", nodes: [1] }];
  const plan = { network: "street", nodes: 1, chains, meters: 1, host: "127.0.0.1", basePort: 9000, target: 0 };
  const mixed = { code: "TEST_AND_REAL" };
  for (const [name, founder, isTest] of [
    ["for real", { folder: tried, own }, false],
    ["open for real", { folder: open, own: await readOwnKey(open, assert.fail) }, false],
    ["for trying", { folder, own: await readOwnKey(folder, async () => passphrase) }, true],
  ] as const) {
    await assert.rejects(createNetwork(join(root, name), { ...plan, isTest }, now, founder), mixed, name);
  }
  const lane = join(root, "lane");
  await createNetwork(lane, { ...plan, isTest: true }, now, { folder: tried, own });
  const marked = (await readGenesisFile(join(lane, "genesis.cbor"))).genesis;
  assert.equal(marked.isTest, true);
  const { isTest: _mark, ...unmarked } = marked;
  // The same name and the same key, in a network that is no test network.
  await assert.rejects(
    readOwnKeyOf(unmarked, tried, async () => passphrase),
    mixed,
  );
  await assert.rejects(readIssuing(unmarked, tried, now_s), {
    code: "NETWORK_DIFFERS",
    message: /street\/test, not street/,
  });
  const bytes = Uint8Array.from(await readFile(join(lane, "meters/meter-1/keyvalue/credential")));
  assert.equal(verifyCredential(bytes, marked, nodeVerify).subject, "meter-1");
  assert.throws(() => verifyCredential(bytes, unmarked, nodeVerify), /warrant is for network street\/test/);
});

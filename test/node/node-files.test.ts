import assert from "node:assert/strict";
import { chmod, copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { toHex } from "../../src/wire/bytes.js";
import { keyId } from "../../src/wire/key.js";
import { createNetworkAuthority, createNodeCertificate } from "../../tools/authority/tls.js";
import { createKeyFile, readKeyFile } from "../../tools/files/key-file.js";
import { SECRET } from "../../tools/files/private-files.js";
import type { NodeConfiguration } from "../../tools/node/configuration.js";
import { readTls } from "../../tools/node/node-files.js";

test("the files of the links between nodes are read where they belong together", async (t) => {
  const { configuration, id } = await nodeFolder(t, "node-1");
  const { ca, cert, key } = await readTls(configuration, id);
  for (const pem of [ca, cert, key]) assert.match(pem, /^-----BEGIN /);
});

const wrong: readonly (readonly [string, RegExp, (one: Folder, other: Folder) => Promise<unknown>])[] = [
  ["an empty certificate", /tls\.cert\.pem is no PEM file/, (one) => writeFile(one.path("tls.cert.pem"), "")],
  [
    "an empty certificate of the authority",
    /ca\.cert\.pem is no PEM file/,
    (one) => writeFile(one.path("ca.cert.pem"), ""),
  ],
  [
    "a damaged key",
    /tls\.key\.pem is no PEM file/,
    (one) => writeFile(one.path("tls.key.pem"), "-----BEGIN PRIVATE KEY-----\n"),
  ],
  [
    "another certificate's key",
    /tls\.key\.pem is not the key of the certificate .*tls\.cert\.pem/,
    (one, other) => copyFile(other.path("tls.key.pem"), one.path("tls.key.pem")),
  ],
  [
    "another node's certificate",
    /tls\.cert\.pem is for CN=[0-9a-f]{16}, and this node's key has the id [0-9a-f]{16}/,
    async (one, other) => {
      await copyFile(other.path("tls.key.pem"), one.path("tls.key.pem"));
      await copyFile(other.path("tls.cert.pem"), one.path("tls.cert.pem"));
    },
  ],
  [
    "another network's authority",
    /tls\.cert\.pem is not signed by the authority in .*ca\.cert\.pem/,
    async (one) => writeFile(one.path("ca.cert.pem"), (await createNetworkAuthority("other", new Date())).cert),
  ],
  [
    "a certificate that has expired",
    /tls\.cert\.pem has expired on /,
    (one) => one.certify(new Date(Date.now() - 11 * 365 * 86_400_000)),
  ],
  [
    "a certificate that is not valid yet",
    /tls\.cert\.pem is not valid before /,
    (one) => one.certify(new Date(Date.now() + 3 * 86_400_000)),
  ],
];

for (const [what, message, spoil] of wrong) {
  test(`a node does not start with ${what}`, async (t) => {
    const one = await nodeFolder(t, "node-1");
    const other = await nodeFolder(t, "node-2", one);
    await spoil(one, other);
    await assert.rejects(readTls(one.configuration, one.id), { code: "CERTIFICATE_INVALID", message });
  });
}

test("a node does not start with a TLS key that others may read", async (t) => {
  const { configuration, id, path } = await nodeFolder(t, "node-1");
  await chmod(path("tls.key.pem"), 0o644);
  await assert.rejects(readTls(configuration, id), { code: "FILE_EXPOSED", message: /tls\.key\.pem/ });
});

type Folder = Awaited<ReturnType<typeof nodeFolder>>;

async function nodeFolder(
  t: TestContext,
  name: string,
  beside?: { readonly authority: Awaited<ReturnType<typeof createNetworkAuthority>> },
) {
  const folder = await mkdtemp(join(tmpdir(), `gridseal-${name}-`));
  t.after(() => rm(folder, { recursive: true }));
  const path = (file: string) => join(folder, file);
  await createKeyFile(path("key.json"));
  const id = toHex(keyId((await readKeyFile(path("key.json"))).key));
  const authority = beside?.authority ?? (await createNetworkAuthority("test", new Date()));
  const certify = async (now: Date, from = authority) => {
    const ca = now.getTime() < Date.now() - 86_400_000 ? await createNetworkAuthority("test", now) : from;
    const tls = await createNodeCertificate(ca, { id, hosts: ["127.0.0.1"] }, now);
    await writeFile(path("ca.cert.pem"), ca.cert);
    await writeFile(path("tls.cert.pem"), tls.cert);
    await writeFile(path("tls.key.pem"), tls.key, { mode: SECRET });
  };
  await certify(new Date());
  const tls = { key: path("tls.key.pem"), certificate: path("tls.cert.pem"), ca: path("ca.cert.pem") };
  return { id, path, authority, certify, configuration: { tls } as NodeConfiguration };
}

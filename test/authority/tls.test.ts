import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import {
  createBrokerCertificate,
  createNetworkAuthority,
  createNodeCertificate,
  createServiceCertificate,
} from "../../tools/authority/tls.js";

const now = new Date("2026-11-22T12:00:00Z");
const request = { id: "00112233aabbccdd", hosts: ["node-1.example.org", "192.0.2.7", "::1"] };

test("a node's certificate names its id and hosts and is signed by the network's authority", async () => {
  const authority = await createNetworkAuthority("demo", now);
  const issuer = new X509Certificate(authority.cert);
  const node = new X509Certificate((await createNodeCertificate(authority, request, now)).cert);
  assert.equal(node.subject, "CN=00112233aabbccdd");
  assert.equal(node.subjectAltName, "DNS:node-1.example.org, IP Address:192.0.2.7, IP Address:0:0:0:0:0:0:0:1");
  assert.ok(node.checkIssued(issuer));
  assert.ok(node.verify(issuer.publicKey));
  assert.equal(node.ca, false);
  assert.equal(issuer.ca, true);
});

test("dates reach from the day before to the stated years, and never beyond the authority's", async () => {
  const authority = await createNetworkAuthority("demo", now);
  const issuer = new X509Certificate(authority.cert);
  assert.equal(new Date(issuer.validTo).getUTCFullYear(), 2046);
  const node = new X509Certificate((await createNodeCertificate(authority, request, now)).cert);
  assert.equal(new Date(node.validFrom).toISOString(), "2026-11-21T12:00:00.000Z");
  assert.equal(new Date(node.validTo).getUTCFullYear(), 2036);
  const late = new Date("2040-01-01T00:00:00Z");
  const last = new X509Certificate((await createNodeCertificate(authority, request, late)).cert);
  assert.equal(last.validTo, issuer.validTo);
});

test("two certificates share neither key nor serial number", async () => {
  const authority = await createNetworkAuthority("demo", now);
  const [left, right] = await Promise.all([
    createNodeCertificate(authority, request, now),
    createNodeCertificate(authority, request, now),
  ]);
  assert.notEqual(left.key, right.key);
  assert.notEqual(new X509Certificate(left.cert).serialNumber, new X509Certificate(right.cert).serialNumber);
});

test("openssl finds each certificate good by RFC 5280, for its names and its purpose alone", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "gridseal-tls-"));
  t.after(() => rm(folder, { recursive: true }));
  const today = new Date();
  const [authority, foreign] = await Promise.all([
    createNetworkAuthority("demo", today),
    createNetworkAuthority("demo", today),
  ]);
  const hosts = ["one.example.org", "192.0.2.7"];
  const made = {
    authority,
    foreign,
    node: await createNodeCertificate(authority, { ...request, hosts }, today),
    broker: await createBrokerCertificate(authority, hosts, today),
    service: await createServiceCertificate(authority, hosts, today),
  };
  for (const [name, { cert }] of Object.entries(made)) await writeFile(join(folder, `${name}.pem`), cert);
  const openssl = promisify(execFile);
  /** What openssl says of a certificate; "OK" where it is good. */
  const verdict = (name: string, ...terms: readonly string[]): Promise<string> =>
    openssl("openssl", ["verify", "-x509_strict", "-CAfile", "authority.pem", ...terms, `${name}.pem`], { cwd: folder })
      .then(({ stdout }) => stdout.trim().replace(/^.*: /, ""))
      .catch(({ stderr }: { stderr: string }) => stderr);
  assert.equal(await verdict("authority"), "OK");
  for (const name of ["node", "broker", "service"]) {
    assert.equal(await verdict(name, "-purpose", "sslserver", "-verify_hostname", "one.example.org"), "OK", name);
    assert.equal(await verdict(name, "-purpose", "sslserver", "-verify_ip", "192.0.2.7"), "OK", name);
    assert.match(await verdict(name, "-verify_hostname", "two.example.org"), /hostname mismatch/i);
    const asClient = await verdict(name, "-purpose", "sslclient");
    if (name === "node") assert.equal(asClient, "OK");
    else assert.match(asClient, /unsupported certificate purpose|unsuitable certificate purpose/);
    const after = String(Math.floor(today.getTime() / 1_000) + 11 * 366 * 86_400);
    assert.match(await verdict(name, "-attime", after), /certificate has expired/);
    const text = (await openssl("openssl", ["x509", "-in", `${name}.pem`, "-noout", "-text"], { cwd: folder })).stdout;
    assert.match(text, /X509v3 Basic Constraints: critical\s+CA:FALSE/);
    assert.match(text, /X509v3 Key Usage: critical\s+Digital Signature\n/);
  }
  const others = ["verify", "-x509_strict", "-CAfile", "foreign.pem", "node.pem"];
  await assert.rejects(openssl("openssl", others, { cwd: folder }), /unable to get local issuer|signature failure/);
});

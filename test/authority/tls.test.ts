import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { createNetworkAuthority, createNodeCertificate } from "../../tools/authority/tls.js";

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

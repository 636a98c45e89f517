// A test network and a real one of the same name, by the same authority, of the same nodes: nothing that is signed for the one is taken
// by the other.

import assert from "node:assert/strict";
import { test } from "node:test";
import { acknowledgementBytes, batchBytes } from "../../src/wire/batch.js";
import { type CborValue, encodeCbor } from "../../src/wire/cbor.js";
import { sign1 } from "../../src/wire/cose.js";
import { type Credential, issueCredential, issuerName, verifyCredential } from "../../src/wire/credential.js";
import { signApproval, signEnrolment, verifyApproval, verifyEnrolment } from "../../src/wire/enrolment.js";
import { codeFromRandom, codeKey, codeProof } from "../../src/wire/enrolment-code.js";
import { envelopeBytes, signCustodyKey, verifyCustodyKey } from "../../src/wire/envelope.js";
import { type Genesis, issueGenesis, verifyGenesis } from "../../src/wire/genesis.js";
import { keyId, keyToMap } from "../../src/wire/key.js";
import { issueOrder, readyBytes, verifyOrder } from "../../src/wire/order.js";
import { readEndorsement, signEndorsement, signRequest, verifyRequest } from "../../src/wire/request.js";
import { sessionToken } from "../../src/wire/session.js";
import { proofOfSession, readSessionToken } from "../../src/wire/session-proof.js";
import { issueWarrant, issuingName } from "../../src/wire/warrant.js";
import { nodeVerify } from "../../tools/crypto/signatures.js";
import { signerNamed, startTime_s, testNetwork } from "./network.js";
import { readGenesis } from "./stranger-genesis.js";
import { verifyToken } from "./stranger-session.js";

const { genesis: real, genesisBytes, authority, nodes } = testNetwork("street");
const { network, time_s, chains } = real;
const members = real.nodes;
const markedBytes = issueGenesis({ network, time_s, nodes: members, chains, isTest: true }, authority);
const marked = verifyGenesis(markedBytes, nodeVerify);
const both = [
  [marked, real],
  [real, marked],
] as const;
const holder = signerNamed("holder");
const issuing = signerNamed("issuing");

function credentialOf(genesis: Genesis, isWarranted = false): Uint8Array {
  const credential: Credential = {
    ...{ issuer: issuerName(genesis), subject: "anna", notBefore_s: startTime_s, expires_s: startTime_s + 9 },
    ...{ id: new Uint8Array(8), key: holder.key, statusIndex: 0, services: [1], roles: ["registrar"] },
  };
  if (!isWarranted) return issueCredential(credential, authority);
  return issueCredential(credential, issuing, warrantOf(genesis));
}

function warrantOf(genesis: Genesis): Uint8Array {
  const term = { notBefore_s: startTime_s - 9, expires_s: startTime_s + 9 };
  return issueWarrant({ network: issuingName(genesis), ...term, key: issuing.key }, authority);
}

test("the mark is entry 8, true or absent; what is no test network is encoded as ever", () => {
  assert.equal(marked.isTest, true);
  assert.ok(!("isTest" in real));
  assert.deepEqual(issueGenesis({ network, time_s, nodes: members, chains }, authority), genesisBytes);
  assert.equal(Buffer.from(markedBytes).includes(Buffer.from([8, 0xf5])), true);
  assert.deepEqual([readGenesis(genesisBytes).issuing, readGenesis(markedBytes).issuing], ["street", "street/test"]);
  for (const mark of [false, 0, 1, null, "true"]) {
    const payload = new Map<number, CborValue>([
      [1, 1],
      [2, network],
      [3, time_s],
      [4, keyToMap(authority.key)],
      [5, [[members[0]!.id, keyToMap(members[0]!.key), "node-0"]]],
      [6, [[1, "trading", [0], 0, 1]]],
      [8, mark],
    ]);
    const bytes = sign1(encodeCbor(payload), authority);
    assert.throws(() => verifyGenesis(bytes, nodeVerify), /mark of a test network is not true/, String(mark));
    assert.throws(() => readGenesis(bytes), /mark of a test network is not true/, String(mark));
  }
});

test("a credential of the one, by the authority or by a warrant, is none of the other", () => {
  for (const [own, other] of both) {
    for (const isWarranted of [false, true]) {
      const bytes = credentialOf(own, isWarranted);
      assert.equal(verifyCredential(bytes, own, nodeVerify).subject, "anna");
      assert.throws(
        () => verifyCredential(bytes, other, nodeVerify),
        /is issued by street|warrant is for network street/,
      );
    }
  }
});

test("an order of the one, and the READY of its nodes, are none of the other", () => {
  for (const [own, other] of both) {
    const bytes = issueOrder(
      { number: 1, time_s, action: { type: "revoke", meters: [keyId(holder.key)] } },
      own,
      authority,
    );
    assert.equal(verifyOrder(bytes, own, nodeVerify).number, 1);
    assert.throws(() => verifyOrder(bytes, other, nodeVerify), /network/);
    const { key, signer, id } = nodes[0]!;
    assert.ok(!nodeVerify(key, readyBytes(other.hash, 1, id), signer.sign(readyBytes(own.hash, 1, id))));
  }
});

test("a request, an endorsement, an enrolment, its proof and an approval of the one are none of the other", () => {
  for (const [own, other] of both) {
    const asked = { services: [1], roles: ["customer" as const] };
    const request = signRequest({ id: "anna", ...asked, nonce: new Uint8Array(0) }, own.hash, holder);
    verifyRequest(request, own.hash, nodeVerify);
    assert.throws(() => verifyRequest(request, other.hash, nodeVerify), /another network/);
    const endorsed = signEndorsement(request, own.hash, authority);
    readEndorsement(endorsed, own.hash);
    assert.throws(() => readEndorsement(endorsed, other.hash), /another network/);
    const code = codeFromRandom(new Uint8Array(23).fill(1));
    const proof = codeProof(codeKey(code), own.hash, holder.key);
    assert.notDeepEqual(proof, codeProof(codeKey(code), other.hash, holder.key));
    const applicant = { name: "Anna", contact: "anna@example.org" };
    const given = { ...asked, applicant, code: code.name, proof, nonce: new Uint8Array(0) };
    const enrolment = signEnrolment(given, own.hash, holder);
    verifyEnrolment(enrolment, own.hash, nodeVerify);
    assert.throws(() => verifyEnrolment(enrolment, other.hash, nodeVerify), /another network/);
    const word = { enrolment: new Uint8Array(32) };
    const approval = signApproval(word, own.hash, authority);
    verifyApproval(approval, { genesisHash: own.hash, key: authority.key }, nodeVerify);
    const elsewhere = { genesisHash: other.hash, key: authority.key };
    assert.throws(() => verifyApproval(approval, elsewhere, nodeVerify), /another network/);
  }
});

test("a session token of the one is none of the other, nor for a stranger", () => {
  for (const [own, other] of both) {
    const claims = { issued_s: startTime_s, expires_s: startTime_s + 60, random: new Uint8Array(8) };
    const audience = "node.example:9301";
    const token = sessionToken(credentialOf(own), { genesis: own.hash, audience, ...claims }, holder);
    // Its holder names the other genesis, and still has no credential there.
    const bent = sessionToken(credentialOf(own), { genesis: other.hash, audience, ...claims }, holder);
    const proofIn = (genesis: Genesis, text: string) =>
      proofOfSession(readSessionToken(text), { ...genesis, nodeKey: () => undefined });
    assert.equal(proofIn(own, token).signed.length, 2);
    assert.throws(() => proofIn(other, token), /another network/);
    assert.throws(() => proofIn(other, bent), /is issued by street/);
    const bytes = other.isTest ? markedBytes : genesisBytes;
    for (const text of [token, bent]) assert.throws(() => verifyToken(readGenesis(bytes), text));
  }
});

test("what nodes sign in the one, custody keys too, is nothing in the other", () => {
  const { key, signer, id } = nodes[0]!;
  for (const [own, other] of both) {
    const stated = signCustodyKey(own.hash, { node: id, key: new Uint8Array(32).fill(9) }, signer);
    verifyCustodyKey(own.hash, stated, () => key, nodeVerify);
    assert.throws(() => verifyCustodyKey(other.hash, stated, () => key, nodeVerify), /not signed/);
    const batch = { chain: 1, origin: id, number: 0, notices: [], records: [] };
    const name = { origin: id, number: 0, id: new Uint8Array(32) };
    const envelope = {
      ...{ chain: 1, origin: id, meter: id, day: 1, salt: new Uint8Array(16), threshold: 1 },
      custodians: [],
    };
    for (const bytesIn of [
      (genesis: Genesis) => batchBytes(genesis.hash, batch),
      (genesis: Genesis) => acknowledgementBytes(genesis.hash, 1, name, true),
      (genesis: Genesis) => envelopeBytes(genesis.hash, envelope),
    ]) {
      assert.ok(nodeVerify(key, bytesIn(own), signer.sign(bytesIn(own))));
      assert.ok(!nodeVerify(key, bytesIn(other), signer.sign(bytesIn(own))));
    }
  }
});

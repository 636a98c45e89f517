import assert from "node:assert/strict";
import { test } from "node:test";
import { batchSummaryBytes } from "../../../../src/wire/batch.js";
import { issueCredential, parseCredential } from "../../../../src/wire/credential.js";
import type { Genesis } from "../../../../src/wire/genesis.js";
import { sha256 } from "../../../../src/wire/hash.js";
import { keyId, type PublicKey, type Verify } from "../../../../src/wire/key.js";
import { leafHash, rootFromInclusion } from "../../../../src/wire/merkle.js";
import { digestsOf, encodeDisclosure, parseRecord, signRecord } from "../../../../src/wire/record.js";
import { nodeVerify } from "../../../../tools/crypto/signatures.js";
import { simulatedSigner, simulatedVerify } from "../../../../tools/lab/simulation/world/keys.js";
import { makeBatch, readSignedBatch } from "../../../../tools/ledger/compose.js";
import {
  badRecordOf,
  type Disproof,
  decodeDisproof,
  disproofComplaint,
  encodeDisproof,
} from "../../../../tools/ledger/disproof.js";
import { executionRecord } from "../../../../tools/ledger/record-scan.js";
import { createVerification, RecordRefuted } from "../../../../tools/node/chain/batches/verification.js";
import type { ChainPorts } from "../../../../tools/node/chain/ports.js";
import { createMeter } from "../cluster.js";

const authority = simulatedSigner("authority");
const genesis = { network: "test", authority: authority.key, hash: new Uint8Array(32) } as Genesis;
const ports = {
  genesis,
  chain: { service: 1 },
  store: { get: () => undefined },
  verify: simulatedVerify,
  verifyRecords: () => Promise.resolve(true),
} as unknown as ChainPorts;

test("records of a meter whose credential a node has not fetched yet are untimely, those of another service are none", async () => {
  const verify = createVerification(ports);
  const readOf = (service: number) => {
    const meter = createMeter(authority, service);
    const { claims } = meter.next();
    const record = parseRecord(signRecord({ ...claims, service: 1 }, [], meter.signer, meter.kid));
    const notices = service === 1 ? [] : [{ kind: "credential" as const, bytes: meter.credential }];
    const content = { chain: 1, origin: new Uint8Array(8), number: 0, notices };
    const { bytes } = makeBatch(genesis.hash, content, [executionRecord(record)], simulatedSigner("a").sign);
    return readSignedBatch(genesis.hash, bytes);
  };
  const behind = readOf(1);
  await assert.rejects(verify(behind.read, behind.signed, "never"), { code: "untimely" });
  const foreign = readOf(2);
  await assert.rejects(verify(foreign.read, foreign.signed, "never"), { code: "unproven" });
});

test("a record is verified by the credential that its temporary block brings, and else by the one on the chain", async () => {
  const meter = createMeter(authority);
  const record = executionRecord(meter.next());
  const issued = parseCredential(meter.credential);
  const customers = issueCredential({ ...issued, id: new Uint8Array(8), roles: ["customer"] }, authority);
  const readOf = (...credentials: readonly Uint8Array[]) => {
    const notices = credentials.map((bytes) => ({ kind: "credential" as const, bytes }));
    const content = { chain: 1, origin: new Uint8Array(8), number: 0, notices };
    const { bytes } = makeBatch(genesis.hash, content, [record], simulatedSigner("a").sign);
    return readSignedBatch(genesis.hash, bytes);
  };
  const own = readOf(meter.credential);
  await createVerification(ports)(own.read, own.signed, "never");
  const verify = createVerification({ ...ports, store: { get: () => customers } } as unknown as ChainPorts);
  await verify(own.read, own.signed, "never");
  const bare = readOf();
  await assert.rejects(verify(bare.read, bare.signed, "never"), { code: "unproven", message: /not for this chain/ });
  const foreign = readOf(issueCredential({ ...issued, services: [2] }, authority));
  await assert.rejects(createVerification(ports)(foreign.read, foreign.signed, "never"), { code: "unproven" });
});

test("a temporary block brings one credential of a key at most", async () => {
  const meter = createMeter(authority);
  const later = issueCredential({ ...parseCredential(meter.credential), id: new Uint8Array(8) }, authority);
  const notices = [meter.credential, later].map((bytes) => ({ kind: "credential" as const, bytes }));
  const content = { chain: 1, origin: new Uint8Array(8), number: 0, notices };
  const records = [meter.next(), meter.next()].map(executionRecord);
  const { bytes } = makeBatch(genesis.hash, content, records, simulatedSigner("a").sign);
  const { read, signed } = readSignedBatch(genesis.hash, bytes);
  const rejected = createVerification(ports)(read, signed, "never");
  await assert.rejects(rejected, { code: "unproven", message: /two credentials/ });
});

/** Nodes and the authority are simulated here, meters are not. */
const verifyAny: Verify = (...signed) => simulatedVerify(...signed) || nodeVerify(...signed);

test("names the record whose signature does not verify, with what proves it to whoever knows the authority", async () => {
  const meter = createMeter(authority);
  const good = meter.next();
  const { claims } = meter.next();
  const nobody = { ...meter.signer, sign: () => new Uint8Array(64) };
  const spoilt = parseRecord(signRecord(claims, [], nobody, meter.kid));
  const notices = [{ kind: "credential" as const, bytes: meter.credential }];
  const origin = simulatedSigner("a");
  const content = { chain: 1, origin: keyId(origin.key), number: 0, notices };
  const { bytes } = makeBatch(genesis.hash, content, [good, spoilt].map(executionRecord), origin.sign);
  const { read, signed } = readSignedBatch(genesis.hash, bytes);
  const verifyRecords = (records: readonly { readonly key: PublicKey; readonly record: Uint8Array }[]) =>
    Promise.resolve(
      records.every(({ key, record }) => {
        const { signedBytes, signature } = parseRecord(record);
        return verifyAny(key, signedBytes, signature);
      }),
    );
  const verify = createVerification({ ...ports, verify: verifyAny, verifyRecords } as ChainPorts);
  await verify(read, signed, "never");
  const refuted = await verify(read, signed, "duty").then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(refuted instanceof RecordRefuted);
  assert.equal(refuted.bad.index, 1);
  const member = { id: keyId(origin.key), key: origin.key, name: "a" };
  const accused = { genesis, chain: 1, member };
  const word = { node: keyId(origin.key), signature: read.signature };
  const complaint = (disproof: Disproof) => disproofComplaint(accused, disproof, verifyAny);
  assert.equal(complaint(decodeDisproof(encodeDisproof({ bad: refuted.bad, word }))), undefined);
  const sound = badRecordOf(read, 0, meter.credential);
  assert.match(complaint({ bad: sound, word }) ?? "", /its meter has signed/);
  const elsewhere = { ...word, signature: new Uint8Array(64) };
  assert.match(complaint({ bad: refuted.bad, word: elsewhere }) ?? "", /not signed by a/);
  const foreign = { ...refuted.bad, credential: createMeter(authority).credential };
  assert.match(complaint({ bad: foreign, word }) ?? "", /another's credential/);
  const hidden = encodeDisclosure({
    salt: new Uint8Array(16),
    label: "x",
    registers: [{ obis: Uint8Array.of(1, 0, 31, 7, 0, 255), value: 1, scaler: 0, unit: 33 }],
  });
  const record = signRecord({ ...claims, digests: digestsOf([hidden]) }, [hidden], nobody, meter.kid);
  const summary = { ...refuted.bad.summary, count: 1 };
  const root = rootFromInclusion(leafHash(sha256(record)), 0, 1, [])!;
  const open = { summary, index: 0, path: [], record, credential: meter.credential };
  const said = { ...word, signature: origin.sign(batchSummaryBytes(genesis.hash, 1, { ...summary, root })) };
  assert.match(complaint({ bad: open, word: said }) ?? "", /not stripped/);
  const displaced = { ...refuted.bad, index: 0 };
  assert.match(complaint({ bad: displaced, word }) ?? "", /not signed by a/);
});

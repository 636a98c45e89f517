// Every wire format against its fixed example, whose bytes an encoder made that shares nothing with the code under test.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { signAggregate, verifyAggregate } from "../../src/wire/aggregate.js";
import type { AssignAction } from "../../src/wire/assignment-order.js";
import { acknowledgementBytes, batchBytes, batchId, decodeBatch, encodeBatch } from "../../src/wire/batch.js";
import { decodeBlock, encodeBlock, metadataEntry } from "../../src/wire/block.js";
import { equalBytes } from "../../src/wire/bytes.js";
import { encodeCbor } from "../../src/wire/cbor.js";
import {
  certificateFromArray,
  certificateToArray,
  precommitBytes,
  verifyCertificate,
} from "../../src/wire/certificate.js";
import {
  type InstallAction,
  type ParameterValue,
  signTried,
  sourceHash,
  withSource,
} from "../../src/wire/contract-order.js";
import { issueCredential, verifyCredential } from "../../src/wire/credential.js";
import { parseDivision, signDivision } from "../../src/wire/division.js";
import { signApproval, signEnrolment, verifyApproval, verifyEnrolment } from "../../src/wire/enrolment.js";
import { codeKey, codeProof } from "../../src/wire/enrolment-code.js";
import { isShareOf, parseEnvelope, shareCommitment, signCustodyKey, signEnvelope } from "../../src/wire/envelope.js";
import { signErased, verifyErased } from "../../src/wire/erased.js";
import { issueFirmware, verifyFirmware } from "../../src/wire/firmware.js";
import { issueBundle, verifyBundle } from "../../src/wire/firmware-bundle.js";
import { chainOf, issueGenesis, memberSetHash, verifyGenesis } from "../../src/wire/genesis.js";
import { guardCborPrefix } from "../../src/wire/guard.js";
import { decodeHandover, encodeHandover } from "../../src/wire/handover.js";
import { sha256 } from "../../src/wire/hash.js";
import { decodeHeader, encodeHeader, headerHash } from "../../src/wire/header.js";
import { decodeKey, ESP256, encodeKey, keyId, type Signer } from "../../src/wire/key.js";
import { memberSets, membersAt } from "../../src/wire/lineage.js";
import { leafHash } from "../../src/wire/merkle.js";
import { readMessage } from "../../src/wire/message.js";
import { encodeHidden, parseOperation, signOperation } from "../../src/wire/operation.js";
import { type Action, issueOrder, ORDER_BYTES_MAX, type Order, readyBytes, verifyOrder } from "../../src/wire/order.js";
import { addOrderSignature } from "../../src/wire/order-signatures.js";
import { type EntryOutcome, effectItems } from "../../src/wire/outcome.js";
import { decodeReceipt, encodeReceipt, verifyReceipt } from "../../src/wire/receipt.js";
import { digestsOf, encodeDisclosure, parseRecord, signRecord, stripRecord } from "../../src/wire/record.js";
import { decodeRefusal, encodeRefusal } from "../../src/wire/refusal.js";
import { decodeSealed, encodeSealed } from "../../src/wire/sealed-disclosure.js";
import { sessionToken } from "../../src/wire/session.js";
import { proofOfSession, readSessionToken } from "../../src/wire/session-proof.js";
import {
  decodePointRow,
  decodeSlotItem,
  encodePointRow,
  type PointRow,
  slotItem,
  slotRoot,
} from "../../src/wire/slot.js";
import { decodeTime, encodeTime } from "../../src/wire/time.js";
import { meterTopic, parseTopic, serviceTopic } from "../../src/wire/topics.js";
import { issueWarrant } from "../../src/wire/warrant.js";
import { signedBytes } from "../../tools/consensus/messages.js";
import { combineShares } from "../../tools/crypto/day-key.js";
import { nodeSessionToken } from "../../tools/crypto/node-token.js";
import { nodeVerify, signerFromSeed } from "../../tools/crypto/signatures.js";
import { decodeDisproof, disproofComplaint, encodeDisproof } from "../../tools/ledger/disproof.js";
import { newestEngine } from "../../tools/ledger/engines.js";
import {
  anchor,
  audience,
  blockTimes_ms,
  contractSource,
  credentialId,
  custody,
  deliveryKey,
  energy,
  enrolmentCode,
  enrolmentNonce,
  firmwareImage,
  fixtures,
  frameHash,
  gas,
  genesisTime_s,
  limitBody,
  locations,
  network,
  operationTime_s,
  operationType,
  orderTime_s,
  p256,
  power,
  recordTimes_s,
  refusalSentence,
  salt,
  script,
  seeds,
  sessionRandom,
  sessionTimes_s,
  toldBody,
} from "./fixtures.js";
import { type Item, independentDecode } from "./independent-cbor.js";
import { verifyExport } from "./stranger.js";
import { proveFalseWord } from "./stranger-disproof.js";
import { readGenesis as strangerReadGenesis } from "./stranger-genesis.js";
import { noOrders } from "./stranger-orders.js";
import { followLineage, verifyReceipt as strangerVerifyReceipt } from "./stranger-receipt.js";
import { readRecordForm } from "./stranger-record.js";
import { verifyToken } from "./stranger-session.js";

const signerOf = (byte: number) => signerFromSeed(new Uint8Array(32).fill(byte));
const authority = signerOf(seeds.authority);
const meter = signerOf(seeds.meter);
const kid = keyId(meter.key);
const members = seeds.nodes.map((seed, index) => {
  const { key } = signerOf(seed);
  return { id: keyId(key), key, name: `node-${index}` };
});

const bytesOf = (file: string, name: string) => Uint8Array.from(Buffer.from(fixtures[file]![name]!.bytes, "hex"));
const derivedOf = (file: string, name: string, field: string) => fixtures[file]![name]!.derived![field];
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const genesis = verifyGenesis(bytesOf("genesis", "genesis"), nodeVerify);

function matches(file: string, name: string, bytes: Uint8Array): void {
  assert.equal(hex(bytes), fixtures[file]![name]!.bytes, `${file} ${name}`);
}

test("the fixtures' files are what the independent encoder makes", () => {
  const folder = fileURLToPath(new URL("../fixtures/", import.meta.url));
  const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
  assert.deepEqual(
    names.sort(),
    Object.keys(fixtures)
      .map((name) => `${name}.json`)
      .sort(),
  );
  for (const name of names) {
    assert.deepEqual(JSON.parse(readFileSync(`${folder}${name}`, "utf8")), fixtures[name.replace(".json", "")], name);
  }
});

test("writes and reads the fixed keys", () => {
  matches("key", "ed25519", encodeKey(meter.key));
  assert.equal(hex(kid), derivedOf("key", "ed25519", "kid"));
  const key = decodeKey(bytesOf("key", "esp256"));
  assert.equal(key.algorithm, ESP256);
  matches("key", "esp256", encodeKey(key));
  assert.equal(hex(keyId(key)), derivedOf("key", "esp256", "kid"));
});

test("writes and reads the fixed record with its disclosure, and strips it", () => {
  const disclosure = encodeDisclosure({ salt, label: "load", registers: [power] });
  matches("disclosure", "disclosure", disclosure);
  assert.equal(hex(digestsOf([disclosure])[0]!), derivedOf("disclosure", "disclosure", "digest"));
  const claims = {
    service: 1,
    serviceId: 12,
    seq: 0,
    previous: new Uint8Array(0),
    time_s: recordTimes_s[0],
    quality: 2,
    registers: [energy, gas],
    digests: digestsOf([disclosure]),
    source: 1,
    frameHash,
    reason: 1,
  };
  const full = signRecord(claims, [disclosure], meter, kid);
  matches("record", "full", full);
  matches("record", "stripped", stripRecord(full));
  const record = parseRecord(bytesOf("record", "full"));
  assert.equal(hex(record.hash), derivedOf("record", "full", "hash"));
  assert.equal(nodeVerify(meter.key, record.signedBytes, record.signature), true);
  assert.equal(hex(encodeCbor(record.claims.digests!)), hex(encodeCbor(claims.digests)));
  const next = { ...claims, seq: 1, previous: record.hash, time_s: recordTimes_s[1] };
  const { digests: _digests, frameHash: _frameHash, ...open } = next;
  matches(
    "record",
    "second",
    signRecord({ ...open, registers: [{ ...energy, value: energy.value + 1 }, gas] }, [], meter, kid),
  );
  for (const name of ["stripped", "second", "third", "fork"]) {
    const bytes = bytesOf("record", name);
    assert.equal(hex(parseRecord(bytes).hash), derivedOf("record", name, "hash"));
    assert.deepEqual(stripRecord(bytes), bytes);
  }
});

test("signs and reads the fixed operations, and so does a stranger", () => {
  const signer = signerOf(seeds.applicant);
  const id = keyId(signer.key);
  const hidden = { salt: Uint8Array.from(salt), label: "price", value: { cents: 31 } };
  const encoded = encodeHidden(hidden);
  matches("operation", "hidden", encoded);
  assert.equal(hex(sha256(encoded)), derivedOf("operation", "hidden", "digest"));
  const claims = {
    ...{ service: 1, serviceId: 0, seq: 0, previous: new Uint8Array(0), time_s: operationTime_s, quality: 2 },
    digests: digestsOf([encoded]),
    type: operationType,
    body: { slot: 1_790_000_400, side: "buy", wh: [500, -1n - 2n ** 60n] },
  };
  matches("operation", "full", signOperation(claims, [encoded], signer, id));
  matches("operation", "stripped", signOperation(claims, [], signer, id));
  const operation = parseOperation(bytesOf("operation", "full"));
  assert.deepEqual(operation.claims, claims);
  assert.deepEqual(operation.disclosures, [hidden]);
  assert.equal(hex(operation.hash), derivedOf("operation", "full", "hash"));
  assert.equal(nodeVerify(signer.key, operation.signedBytes, operation.signature), true);
  const { digests: _digests, ...open } = claims;
  const next = { ...open, seq: 1, previous: operation.hash, time_s: operationTime_s + 1, type: operationType + 1 };
  matches("operation", "until", signOperation({ ...next, body: null, until_s: operationTime_s + 900 }, [], signer, id));
  for (const name of ["stripped", "until"]) {
    assert.equal(readRecordForm(bytesOf("operation", name)).isOperation, true, name);
    assert.equal(hex(parseOperation(bytesOf("operation", name)).hash), derivedOf("operation", name, "hash"));
  }
});

test("issues and reads the fixed credential and genesis", () => {
  const issued = issueCredential(
    {
      issuer: `${network}/${hex(keyId(authority.key))}`,
      subject: "E0031004000001234",
      notBefore_s: genesisTime_s,
      expires_s: genesisTime_s + 315_360_000,
      id: credentialId,
      key: meter.key,
      statusIndex: 0,
      services: [1, 3],
      roles: ["meter"],
      origin: { key: "device", lot: "lot 7" },
    },
    authority,
  );
  matches("credential", "credential", issued);
  assert.deepEqual(verifyCredential(issued, genesis, nodeVerify).key, meter.key);

  const issuing = signerFromSeed(new Uint8Array(32).fill(seeds.issuing));
  const terms = { network, notBefore_s: genesisTime_s, expires_s: genesisTime_s + 31_536_000, key: issuing.key };
  const warrant = issueWarrant(terms, authority);
  matches("credential", "warrant", warrant);
  const participant = {
    issuer: `${network}/${hex(keyId(authority.key))}`,
    subject: "stadtwerk",
    notBefore_s: genesisTime_s + 86_400,
    expires_s: genesisTime_s + 63_072_000,
    id: Uint8Array.from(Buffer.from("c0ffee0000000002", "hex")),
    key: { algorithm: ESP256, x: Uint8Array.from(p256.x), y: Uint8Array.from(p256.y) } as const,
    statusIndex: 1,
    services: [],
    roles: ["supplier", "eligible-party"] as const,
    jurisdiction: "DE-BY",
    deliveryKey: Uint8Array.from(deliveryKey),
  };
  matches("credential", "participant", issueCredential(participant, issuing, warrant));
  assert.deepEqual(verifyCredential(bytesOf("credential", "participant"), genesis, nodeVerify), participant);

  const chains = [
    { service: 1, name: "trading", members, target: 0, verifiers: 2 },
    {
      service: 3,
      name: "dispatch",
      members: [members[3]!, members[2]!, members[1]!],
      target: 0x2007ffff,
      verifiers: 3,
    },
  ];
  matches("genesis", "genesis", issueGenesis({ network, time_s: genesisTime_s, nodes: members, chains }, authority));
  assert.deepEqual(genesis.chains, chains);
  assert.equal(hex(genesis.hash), derivedOf("genesis", "genesis", "hash"));
  assert.equal(hex(memberSetHash(members)), derivedOf("genesis", "genesis", "memberSet"));

  const marked = { network, time_s: genesisTime_s, nodes: members, chains, isTest: true } as const;
  matches("genesis", "test", issueGenesis(marked, authority));
  const trial = verifyGenesis(bytesOf("genesis", "test"), nodeVerify);
  assert.deepEqual([trial.isTest, hex(trial.hash)], [true, derivedOf("genesis", "test", "hash")]);
  const tried = verifyCredential(bytesOf("credential", "test"), trial, nodeVerify);
  assert.deepEqual(
    [tried.issuer, tried.subject],
    [`${network}/test/${hex(keyId(authority.key))}`, "E0031004000001234"],
  );
  const testWarrant = issueWarrant({ ...terms, network: `${network}/test` }, authority);
  matches("credential", "test", issueCredential(tried, issuing, testWarrant));
});

test("makes and verifies the fixed session tokens, and so does a stranger", () => {
  const [issued_s, expires_s] = sessionTimes_s;
  const random = Uint8Array.from(sessionRandom);
  const claims = { genesis: genesis.hash, audience, issued_s, expires_s, random };
  const nodeKey = (id: Uint8Array) => genesis.nodes.find((node) => equalBytes(node.id, id))?.key;
  const issuer = { ...genesis, nodeKey };
  const holders = { meter, node: signerOf(seeds.nodes[0]) };
  for (const name of ["meter", "node"] as const) {
    const token =
      name === "meter"
        ? sessionToken(bytesOf("credential", "credential"), claims, holders.meter)
        : nodeSessionToken(claims, holders.node);
    matches("session", name, Buffer.from(token));
    const { kid, signed } = proofOfSession(readSessionToken(token), issuer);
    assert.deepEqual(kid, keyId(holders[name].key));
    assert.ok(signed.every((each) => nodeVerify(...each)));
    const stranger = verifyToken(strangerReadGenesis(bytesOf("genesis", "genesis")), token);
    assert.deepEqual(stranger, { id: hex(keyId(holders[name].key)), audience, issued_s, expires_s });
    assert.throws(() =>
      verifyToken(strangerReadGenesis(bytesOf("genesis", "genesis")), `${token.slice(0, -8)}AAAAAAAA`),
    );
  }
});

test("writes and reads the fixed time", () => {
  const [time_s] = sessionTimes_s;
  matches("time", "time", encodeTime({ time_s }));
  assert.deepEqual(decodeTime(bytesOf("time", "time")), { time_s, refusedAs: undefined });
  matches("time", "suspended", encodeTime({ time_s, refusedAs: "suspended" }));
  assert.deepEqual(decodeTime(bytesOf("time", "suspended")), { time_s, refusedAs: "suspended" });
});

test("signs and reads the fixed enrolment and its approval", () => {
  const signer = signerOf(seeds.applicant);
  const key = codeKey(enrolmentCode);
  assert.equal(hex(key), derivedOf("enrolment", "enrolment", "codeKey"));
  const asked = {
    ...{ services: [1, 3], roles: ["supplier", "eligible-party"] as const, jurisdiction: "DE" },
    deliveryKey: new Uint8Array(32).fill(0x0d),
    applicant: { name: "Werk Nord", eic: "10X1001A1001A450", contact: "anna@werk.example" },
    ...{ code: enrolmentCode.name, proof: codeProof(key, genesis.hash, signer.key) },
    nonce: Uint8Array.from(enrolmentNonce),
  };
  const bytes = signEnrolment(asked, genesis.hash, signer);
  matches("enrolment", "enrolment", bytes);
  assert.deepEqual(verifyEnrolment(bytes, genesis.hash, nodeVerify), { ...asked, key: signer.key });
  const word = { enrolment: sha256(bytes), reason: "no contract" };
  const approver = signerOf(seeds.nodes[0]);
  matches("enrolment", "approval", signApproval(word, genesis.hash, approver));
  const terms = { genesisHash: genesis.hash, key: approver.key };
  assert.deepEqual(verifyApproval(bytesOf("enrolment", "approval"), terms, nodeVerify), word);
});

test("signs and reads the fixed firmware manifest", () => {
  const hash = sha256(firmwareImage);
  const firmware = { board: "devkit", version: 2, least: 1, size: 3, hash, file: "devkit-2.bin" };
  matches("firmware", "firmware", issueFirmware(firmware, authority));
  assert.deepEqual(verifyFirmware(bytesOf("firmware", "firmware"), authority.key, nodeVerify), firmware);
});

test("signs and reads the fixed manifest of a bundle", () => {
  const hash = sha256(firmwareImage);
  const bundle = {
    ...{ board: "p1-adapter", version: 2, chip: 5, flashBytes: 4_194_304 },
    parts: [
      { offset: 0, size: 3, hash, file: "bootloader.bin" },
      { offset: 131_072, size: 3, hash, file: "xs_esp32.bin" },
    ],
  };
  matches("firmware", "bundle", issueBundle(bundle, authority));
  assert.deepEqual(verifyBundle(bytesOf("firmware", "bundle"), authority.key, nodeVerify), bundle);
});

test("signs and reads the fixed temporary block", () => {
  const { batch, signature } = decodeBatch(bytesOf("batch", "batch"));
  matches("batch", "batch", encodeBatch(batch, signature));
  assert.deepEqual(
    batch.notices.map(({ kind, bytes }) => [kind, hex(bytes)]),
    [["credential", fixtures.credential!.credential!.bytes]],
  );
  assert.deepEqual(batch.records.map(hex), [fixtures.record!.stripped!.bytes, fixtures.record!.second!.bytes]);
  const signed = batchBytes(genesis.hash, batch);
  matches("batch", "signed", signed);
  assert.equal(nodeVerify(members[0]!.key, signed, signature), true);
  const id = batchId(signed);
  assert.equal(hex(id), derivedOf("batch", "signed", "id"));
  const name = { origin: batch.origin, number: batch.number, id };
  matches("batch", "acknowledged", acknowledgementBytes(genesis.hash, batch.chain, name, true));
  matches("batch", "stored", acknowledgementBytes(genesis.hash, batch.chain, name, false));
});

test("reads the fixed disproof, which proves node-1's word false, to the project as to a stranger", () => {
  const evidence = bytesOf("batch", "disproof");
  const disproof = decodeDisproof(evidence);
  matches("batch", "disproof", encodeDisproof(disproof));
  assert.equal(disproofComplaint({ genesis, chain: 1, member: members[1]! }, disproof, nodeVerify), undefined);
  assert.equal(hex(disproof.word.node), hex(members[1]!.id));
  const read = strangerReadGenesis(bytesOf("genesis", "genesis"));
  const place = { orders: noOrders(read), genesis: read, service: 1, judgedAt: 0 };
  assert.equal(proveFalseWord(place, hex(members[1]!.id), evidence), 2);
});

test("issues and reads the fixed genesis whose orders two keys sign, and the fixed order of it", () => {
  const [first, , third] = [seeds.authority, seeds.issuing, seeds.joiner].map(signerOf) as [Signer, Signer, Signer];
  const placed = members.map((member, index) => ({ ...member, location: locations[index]! }));
  const ordering = { signatures: 2, keys: [first, signerOf(seeds.issuing), third].map(({ key }) => key) };
  const placedChains = genesis.chains.map((chain) => ({
    ...chain,
    members: chain.members.map(({ name }) => placed.find((member) => member.name === name)!),
  }));
  const terms = { network, time_s: genesisTime_s, nodes: placed, chains: placedChains, ordering };
  matches("genesis", "joint", issueGenesis(terms, authority));
  const joint = verifyGenesis(bytesOf("genesis", "joint"), nodeVerify);
  assert.deepEqual([joint.ordering, joint.nodes], [ordering, placed]);
  assert.equal(hex(joint.hash), derivedOf("genesis", "joint", "hash"));
  const order: Order = { number: 1, time_s: orderTime_s, action: { type: "revoke", meters: [kid] } };
  const size = ORDER_BYTES_MAX;
  for (const [before, after] of [
    [first, third],
    [third, first],
  ] as const) {
    matches("order", "joint", addOrderSignature(issueOrder(order, joint, before), { ordering, size }, after));
  }
  assert.deepEqual(verifyOrder(bytesOf("order", "joint"), joint, nodeVerify), order);
});

test("issues and reads the fixed orders", () => {
  const joiner = signerOf(seeds.joiner);
  const member = { id: keyId(joiner.key), key: joiner.key, name: "node-4" };
  const ready = readyBytes(genesis.hash, 1, member.id);
  matches("order", "ready", ready);
  const action: Action = {
    type: "members",
    chain: 1,
    effectiveHeight: 40,
    members: [...members.slice(0, 3), member],
    ready: [{ node: member.id, signature: joiner.sign(ready) }],
    verifiers: 2,
  };
  const actions: Readonly<Record<string, Action>> = {
    members: action,
    chain: { type: "chain", service: 7, name: "water", members: members.slice(0, 1), target: 0, verifiers: 1 },
    revoke: { type: "revoke", meters: [kid] },
    ban: { type: "ban", nodes: [members[2]!.id] },
    suspend: { type: "suspend", meters: [kid] },
    resume: { type: "resume", meters: [kid] },
    end: { type: "end", meter: kid, ends: [[1, 3]], successor: members[0]!.id },
    register: { type: "register", entry: 12, hash: sha256(new TextEncoder().encode("entry 12")) },
    install: fixedInstall,
    parameters: {
      type: "parameters",
      service: 1,
      contract: "limits",
      jurisdiction: "DE-BY",
      parameters: new Map<string, ParameterValue>([
        ["limit", 7],
        ["currency", "EUR"],
      ]),
      fromHeight: 41,
    },
    retire: { type: "retire", service: 1, name: "limits", fromHeight: 90 },
    assign: fixedAssign,
    withdraw: { type: "withdraw", order: 1 },
  };
  for (const [index, [name, ordered]] of Object.entries(actions).entries()) {
    const order = { number: index + 1, time_s: orderTime_s, action: ordered };
    matches("order", name, issueOrder(order, genesis, authority));
    assert.deepEqual(verifyOrder(bytesOf("order", name), genesis, nodeVerify), order);
  }
  matches("order", "travelling", withSource(bytesOf("order", "install"), contractSource));
  const order = { number: 9, time_s: orderTime_s, action: fixedInstall, source: contractSource };
  assert.deepEqual(verifyOrder(bytesOf("order", "travelling"), genesis, nodeVerify), order);
  assert.equal(hex(sourceHash(contractSource)), derivedOf("order", "travelling", "source"));
});

const fixedAssign: AssignAction = {
  type: "assign",
  assignments: [
    {
      ...{ point: "AT0010000000000000001000012345678", meter: kid, from_s: 1_790_000_100 },
      ...{ until_s: 1_800_000_000, sign: 1, capacity: undefined },
    },
    {
      ...{ point: "AT0010000000000000001000087654321", meter: kid, from_s: 1_800_000_000 },
      ...{ until_s: undefined, sign: -1, capacity: 99_999_999_000_000n },
    },
  ],
};

test("reads and writes the rows of the fixed slot, and its leaf", () => {
  const rows: readonly PointRow[] = [
    {
      point: "AT0010000000000000001000012345678",
      imported: 1_234_567n,
      exported: null,
      quality: 1,
      doubts: 0x1000_0100,
    },
    { point: "feb2c20f354b30c5", imported: null, exported: null, quality: 3, doubts: 0 },
  ];
  matches("slot", "row", encodePointRow(rows[0]!));
  matches("slot", "silent", encodePointRow(rows[1]!));
  const root = slotRoot(rows.map(encodePointRow));
  assert.equal(hex(root), derivedOf("slot", "leaf", "root"));
  const slot = { start_s: 1_790_000_100, slot_s: 900, points: 2, root };
  matches("slot", "leaf", slotItem({ chain: 1, height: 2 }, slot));
  assert.deepEqual(decodeSlotItem(bytesOf("slot", "leaf")), { chain: 1, height: 2, ...slot });
  assert.deepEqual(decodePointRow(bytesOf("slot", "row")), rows[0]);
});

const untried: InstallAction = {
  type: "install",
  service: 1,
  name: "limits",
  version: 1,
  source: sourceHash(contractSource),
  ...newestEngine,
  budget: 1_000,
  pages: 256,
  output: 65_536,
  types: [1, 7],
  messages: [
    { service: 0, name: "breach" },
    { service: 3, name: "verdict" },
  ],
  slots: { slot_s: 900, lateness_s: 3_600, gapMax_s: 1_800 },
  vectors: sha256(new TextEncoder().encode("vectors")),
  ready: [],
  fromHeight: 40,
};
/** node-1 has run its vectors. */
const fixedInstall = { ...untried, ready: signTried(genesis.hash, untried, [signerOf(seeds.nodes[0])]) };

test("says the fixed outcome, effect and messages, and reads the messages", () => {
  const entry = { kind: "operation", leaf: 1 } as const;
  const body = Uint8Array.from(limitBody);
  const denied: EntryOutcome = {
    ...{ entry, type: "denied", contract: "limits", used: 3 },
    effects: [
      { name: "limit", body },
      { name: "limit", body, to: { service: 3, number: 5, hops: 1 } },
    ],
    denials: [{ rule: "limit-reached", body }],
  };
  const told: EntryOutcome = {
    ...{ entry: { kind: "violations" }, type: "told" },
    effects: [{ name: "violation", body: Uint8Array.from(toldBody), to: { service: 5, number: 0, hops: 0 } }],
  };
  const items = effectItems({ chain: 1, height: 2 }, [denied, told]);
  for (const [at, name] of ["outcome", "effect", "message"].entries()) matches("effect", name, items[at]!);
  matches("effect", "told", items.at(-1)!);
  const { hops, number, contract } = readMessage(bytesOf("effect", "message"));
  assert.deepEqual({ hops, number, contract }, { hops: 1, number: 5, contract: "limits" });
  assert.equal(readMessage(bytesOf("effect", "told")).contract, null);
});

test("any two of the fixed envelope's shares make its key, and any two parts of a share that share; one alone is neither", async () => {
  const envelope = parseEnvelope(genesis.hash, bytesOf("custody", "envelope"));
  const division = parseDivision(genesis.hash, bytesOf("custody", "division"));
  assert.deepEqual(division.dealer, envelope.custodians[0]!.node, "whose share is divided");
  for (const { of, secret, shares } of [
    { of: envelope, secret: custody.dayKey, shares: custody.shares },
    { of: division, secret: custody.shares[0]!, shares: custody.parts },
  ]) {
    assert.equal(new Set(shares.map((share) => share.at(-1))).size, 3, "each is taken elsewhere");
    for (const [index, { node }] of of.custodians.entries()) {
      assert.ok(isShareOf(of, node, Uint8Array.from(shares[index]!)));
      const others = shares.filter((_, other) => other !== index).map((share) => Uint8Array.from(share));
      assert.equal(hex(await combineShares(others)), hex(secret));
    }
  }
});

test("states and reads the fixed custody key, envelope, sealed disclosures, erasure and sums over a group", () => {
  const origin = signerOf(seeds.nodes[0]);
  const node = keyId(origin.key);
  const keyOf = () => origin.key;
  matches("custody", "key", signCustodyKey(genesis.hash, { node, key: Uint8Array.from(custody.key) }, origin));
  const parsed = parseEnvelope(genesis.hash, bytesOf("custody", "envelope"));
  assert.equal(hex(parsed.id), derivedOf("custody", "envelope", "id"));
  const nodes = members.slice(0, 3).map(({ id }) => id);
  const custodians = nodes.sort(Buffer.compare).map((id, index) => {
    return { node: id, commitment: shareCommitment(Uint8Array.from(custody.shares[index]!)) };
  });
  const of = { chain: 1, origin: node, meter: kid, day: custody.day, salt: Uint8Array.from(salt), threshold: 2 };
  matches("custody", "envelope", signEnvelope(genesis.hash, { ...of, custodians }, origin).bytes);
  const divided = parseDivision(genesis.hash, bytesOf("custody", "division"));
  assert.equal(hex(divided.id), derivedOf("custody", "division", "id"));
  matches("custody", "division", signDivision(genesis.hash, divided, origin).bytes);
  const sealed = decodeSealed(bytesOf("custody", "sealed"));
  assert.deepEqual([sealed.seq, hex(sealed.envelope)], [1, hex(parsed.id)]);
  matches("custody", "sealed", encodeSealed(sealed));
  const erased = verifyErased(genesis.hash, bytesOf("custody", "erased"), keyOf, nodeVerify);
  assert.deepEqual([erased.from, erased.until, erased.disclosures], [custody.day, custody.day + 2, 96]);
  matches("custody", "erased", signErased(genesis.hash, erased, origin));
  const sums = verifyAggregate(genesis.hash, bytesOf("custody", "aggregate"), keyOf, nodeVerify);
  const [told, withheld] = sums.slots;
  assert.deepEqual([sums.slot_s, told, withheld], [900, { count: 120, sum: -4_321_000n }, { count: 3, sum: null }]);
  matches("custody", "aggregate", signAggregate(genesis.hash, sums, origin));
});

test("signs the fixed votes and proposal and verifies the fixed certificate", () => {
  const [hash1, hash2] = ["block1", "block2"].map((name) => headerHash(decodeBlock(bytesOf("block", name)).header));
  const vote = { height: 2, round: 1, id: hash2! } as const;
  matches("vote", "prevote", signedBytes(genesis.hash, 1, { type: "prevote", vr: -1, ...vote }));
  matches("vote", "precommit", precommitBytes(genesis.hash, 1, 1, 0, hash1!));
  matches("vote", "nil", precommitBytes(genesis.hash, 1, 2, 0, null));
  const body = Buffer.from(String(derivedOf("vote", "proposal", "body")), "hex");
  const bodyHash = headerHash(body); // SHA-256
  matches("vote", "proposal", signedBytes(genesis.hash, 1, { type: "head", vr: 0, bodyHash, ...vote }));
  const certificate = certificateFromArray(independentDecode(bytesOf("vote", "certificate")) as never);
  matches("vote", "certificate", encodeCbor(certificateToArray(certificate)));
  const block = { genesisHash: genesis.hash, chain: 1, height: 1, headerHash: hash1! };
  verifyCertificate(certificate, block, chainOf(genesis, 1)!.members, nodeVerify);
});

test("writes and reads the fixed blocks, their headers and metadata", () => {
  for (const [index, name] of (["block1", "block2"] as const).entries()) {
    const block = decodeBlock(bytesOf("block", name));
    matches("block", name, encodeBlock(block));
    assert.deepEqual([block.network, block.chain, block.height], [network, 1, index + 1]);
    assert.deepEqual([block.time_ms, block.lock_ms], [blockTimes_ms[index], blockTimes_ms[index]! + 250]);
    assert.equal(hex(block.script), hex(script));
    assert.deepEqual([hex(block.memberSet), hex(block.nextMemberSet)], Array(2).fill(hex(memberSetHash(members))));
  }
  const block = decodeBlock(bytesOf("block", "block1"));
  assert.equal(derivedOf("block", "block1", "size"), bytesOf("block", "block1").length);
  matches("block", "header", encodeHeader(decodeHeader(block.header)));
  assert.equal(hex(headerHash(block.header)), derivedOf("block", "header", "hash"));
  assert.deepEqual(decodeHeader(block.header).previous, genesis.hash);
  matches("block", "metadata", metadataEntry(block));
  assert.equal(hex(leafHash(metadataEntry(block))), derivedOf("block", "metadata", "leafHash"));
  const second = decodeBlock(bytesOf("block", "block2"));
  assert.equal(hex(headerHash(second.header)), derivedOf("block", "block2", "hash"));
  assert.deepEqual(
    second.anchors.map((known) => ({ ...known, headerHash: hex(known.headerHash) })),
    [{ ...anchor, headerHash: hex(anchor.headerHash) }],
  );
  assert.equal(second.counter, 1);
});

test("verifies the fixed receipt with the fixed genesis", () => {
  const receipt = decodeReceipt(bytesOf("receipt", "receipt"));
  matches("receipt", "receipt", encodeReceipt(receipt));
  assert.equal(hex(receipt.recordHash), derivedOf("record", "second", "hash"));
  verifyReceipt(receipt, genesis, nodeVerify);
  const proved = strangerVerifyReceipt(bytesOf("genesis", "genesis"), bytesOf("receipt", "receipt"));
  assert.deepEqual([proved.chain, proved.height, proved.record], [1, 1, hex(receipt.recordHash)]);
});

test("follows the fixed handover from the members of the genesis to node-4", () => {
  const bytes = bytesOf("handover", "handover");
  matches("handover", "handover", encodeHandover(decodeHandover(bytes)));
  const sets = memberSets(genesis, 1, [bytes], nodeVerify);
  const { key } = signerOf(seeds.joiner);
  assert.deepEqual(membersAt(sets, 3)?.[3], { id: keyId(key), key });
  assert.deepEqual(membersAt(sets, 2), chainOf(genesis, 1)!.members);
  const followed = followLineage(bytesOf("genesis", "genesis"), 1, [bytes]);
  assert.deepEqual(
    followed.map(({ from, members }) => [from, members[3]?.id]),
    sets.map(({ from, members }) => [from, hex(members[3]!.id)]),
  );
});

test("a stranger verifies the fixed export and finds its one violation", () => {
  const exported = bytesOf("export", "export");
  const limits = { size: 16_777_216, items: 4_096 };
  assert.equal(guardCborPrefix(exported, limits), bytesOf("block", "block1").length);
  const report = verifyExport(bytesOf("genesis", "genesis"), exported);
  assert.deepEqual([report.height, report.counter, report.records.length], [2, 1, 3]);
  const [register] = report.records[2]!.claims.get(9) as readonly (readonly Item[])[];
  assert.deepEqual(register!.slice(1), [energy.value + 2, 0, 30]);
});

test("writes and reads the fixed refusal and topics", () => {
  const recordHash = Uint8Array.from(Buffer.from(String(derivedOf("record", "second", "hash")), "hex"));
  const refusal = { service: 1, seq: 7, recordHash, reason: "bad-signature", sentence: refusalSentence } as const;
  matches("refusal", "refusal", encodeRefusal(refusal));
  assert.deepEqual(decodeRefusal(bytesOf("refusal", "refusal")), refusal);
  const name = hex(kid);
  const topics = {
    record: serviceTopic(network, 1, "record", name),
    receipt: serviceTopic(network, 1, "receipt", name),
    members: serviceTopic(network, 1, "members", name),
    birth: meterTopic(network, "birth", name),
    ack: meterTopic(network, "ack", name),
  };
  for (const [kind, topic] of Object.entries(topics)) {
    matches("topic", kind, new TextEncoder().encode(topic));
    assert.equal(parseTopic(topic)?.kind, kind);
  }
});

test("the worked example in PROTOCOL.md says what the fixtures say", () => {
  const document = readFileSync(fileURLToPath(new URL("../../PROTOCOL.md", import.meta.url)), "utf8");
  const receipt = decodeReceipt(bytesOf("receipt", "receipt"));
  const header = hex(receipt.header);
  for (const value of [
    fixtures.key!.ed25519!.bytes,
    hex(kid),
    derivedOf("record", "second", "hash"),
    hex(receipt.path[0]!),
    `${header.slice(0, 8)} ${header.slice(8, 72)}`,
    header.slice(72, 136),
    header.slice(136, 144),
    derivedOf("block", "header", "hash"),
  ]) {
    assert.ok(document.includes(String(value)), `PROTOCOL.md lacks ${value}`);
  }
  assert.ok(document.includes(`${bytesOf("record", "second").length} bytes`));
});

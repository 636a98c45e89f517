import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../../../src/wire/bytes.js";
import { issueCredential, issuerName, parseCredential, type Role } from "../../../src/wire/credential.js";
import { issueGenesis, verifyGenesis } from "../../../src/wire/genesis.js";
import { keyId } from "../../../src/wire/key.js";
import { encodeHidden, OPERATION_BYTES_MAX, type OperationClaims, signOperation } from "../../../src/wire/operation.js";
import { type Claims, digestsOf, encodeDisclosure, RECORD_BYTES_MAX, signRecord } from "../../../src/wire/record.js";
import { issueWarrant } from "../../../src/wire/warrant.js";
import { generateSeed, nodeVerify, signerFromSeed } from "../../../tools/crypto/signatures.js";
import { verifyOfAnybody, verifySoon } from "../../../tools/crypto/verifying.js";
import type { Standing } from "../../../tools/ledger/governance.js";
import { emptyMeterState, type MeterState } from "../../../tools/ledger/state.js";
import {
  type AdmissionPorts,
  admitCredential,
  isTooLate,
  proveRecord,
  type RecordTopic,
  Refused,
  readPublished,
  replaces,
} from "../../../tools/node/ingest/admission.js";

const NOW_S = 1_800_000_000;
const authority = signerFromSeed(generateSeed());
const nodeKey = signerFromSeed(generateSeed()).key;
const member = { id: keyId(nodeKey), key: nodeKey, name: "node-1" };
const chains = [1, 2].map((service) => ({
  service,
  name: `chain-${service}`,
  members: [member],
  target: 0,
  verifiers: 1,
}));
const genesis = verifyGenesis(
  issueGenesis({ network: "test", time_s: 1, nodes: [member], chains }, authority),
  nodeVerify,
);
const meter = signerFromSeed(generateSeed());
const kid = keyId(meter.key);
const terms = {
  issuer: issuerName(genesis),
  subject: "meter-1",
  notBefore_s: NOW_S - 100,
  expires_s: NOW_S + 100,
  id: kid,
  key: meter.key,
  statusIndex: 0,
  services: [1],
  roles: ["meter"],
} as const;
const credential = issueCredential(terms, authority);

function ports(state?: MeterState, now_s = NOW_S, known = parseCredential(credential), sealed = known) {
  return {
    genesis,
    now_ms: () => now_s * 1000,
    isRevoked: (_meter: string) => false,
    standingOf: (_meter: string, _service: number, _seq: number): Standing => "good",
    credential: (id: Uint8Array) => (toHex(id) === toHex(kid) ? known : undefined),
    meterState: () => state,
    chainCredential: () => sealed,
    servesChain: (service: number) => service === 1,
    verifyRecord: verifySoon,
  };
}

function recordOf(claims: Partial<Claims> = {}, signer = meter, id = kid, disclosures: Uint8Array[] = []): Uint8Array {
  const base = { service: 1, serviceId: 1, seq: 0, previous: new Uint8Array(0), time_s: NOW_S, quality: 2 };
  return signRecord({ ...base, ...claims }, disclosures, signer, id);
}

const topic = { kind: "record", service: 1, meter: toHex(kid) } as const;
async function admit(given: AdmissionPorts, on: RecordTopic, payload: Uint8Array) {
  const published = readPublished(given, on, payload);
  await proveRecord(given, published);
  return published.record;
}

const refusal = (reason: string) => (error: unknown) => error instanceof Refused && error.reason === reason;

test("admits a record of a known meter, with its confidential groups apart", async () => {
  const disclosure = encodeDisclosure({
    salt: new Uint8Array(16),
    label: "phases",
    registers: [{ obis: Uint8Array.of(1, 0, 31, 7, 0, 255), value: 1, scaler: 0, unit: 33 }],
  });
  const bytes = recordOf({ digests: digestsOf([disclosure]) }, meter, kid, [disclosure]);
  const record = await admit(ports(), topic, bytes);
  assert.equal(record.disclosures.length, 1);
  assert.ok(record.stripped.length < bytes.length);
});

test("refuses what is too large before it reads it", async () => {
  await assert.rejects(admit(ports(), topic, new Uint8Array(RECORD_BYTES_MAX + 1)), refusal("oversized"));
});

/** The ports of a node that knows its holder as a participant. */
const buying = (state?: MeterState) =>
  ports(state, NOW_S, parseCredential(issueCredential({ ...terms, roles: ["customer"] }, authority)));

function operationOf(claims: Partial<OperationClaims> = {}, disclosures: Uint8Array[] = []): Uint8Array {
  const base = { service: 1, serviceId: 0, seq: 0, previous: new Uint8Array(0), time_s: NOW_S, quality: 2 };
  return signOperation({ ...base, type: 1, body: null, ...claims }, disclosures, meter, kid);
}

test("admits an operation of a participant, with its confidential parts apart, and one of 65,536 bytes", async () => {
  const hidden = encodeHidden({ salt: new Uint8Array(16), label: "price", value: 31 });
  const bytes = operationOf({ digests: digestsOf([hidden]) }, [hidden]);
  const record = await admit(buying(), topic, bytes);
  assert.equal(record.disclosures.length, 1);
  assert.ok(record.stripped.length < bytes.length);
  const rest = operationOf({ body: "x".repeat(65_000) }).length - 65_000;
  const largest = operationOf({ body: "x".repeat(OPERATION_BYTES_MAX - rest) });
  assert.equal((await admit(buying(), topic, largest)).claims.type, 1);
  const longer = Buffer.concat([largest, Buffer.of(0)]);
  await assert.rejects(admit(buying(), topic, longer), refusal("oversized"));
});

test("refuses an operation of a meter and a reading of a participant by their role", async () => {
  await assert.rejects(admit(ports(), topic, operationOf()), refusal("role-not-permitted"));
  await assert.rejects(admit(buying(), topic, recordOf()), refusal("role-not-permitted"));
});

test("refuses what is no record, and what hides a register that the payload does not name", async () => {
  await assert.rejects(admit(ports(), topic, Uint8Array.of(1, 2, 3)), refusal("malformed"));
  const foreign = encodeDisclosure({ salt: new Uint8Array(16), label: "x", registers: [] });
  await assert.rejects(admit(ports(), topic, recordOf({}, meter, kid, [foreign])), refusal("malformed"));
});

test("refuses a record on the topic of another meter or service", async () => {
  for (const wrong of [
    { ...topic, meter: "0000000000000000" },
    { ...topic, service: 2 },
  ]) {
    await assert.rejects(admit(ports(), wrong, recordOf()), refusal("wrong-topic"));
  }
});

test("refuses a service whose chain the node does not serve", async () => {
  const bytes = recordOf({ service: 2 });
  await assert.rejects(admit(ports(), { ...topic, service: 2 }, bytes), refusal("service-not-permitted"));
});

test("refuses an unknown meter and a credential out of its dates", async () => {
  const stranger = signerFromSeed(generateSeed());
  const id = keyId(stranger.key);
  await assert.rejects(
    admit(ports(), { ...topic, meter: toHex(id) }, recordOf({}, stranger, id)),
    refusal("unknown-meter"),
  );
  await assert.rejects(admit(ports(undefined, NOW_S + 100), topic, recordOf()), refusal("credential-invalid"));
  await assert.rejects(admit(ports(undefined, NOW_S - 101), topic, recordOf()), refusal("credential-invalid"));
});

test("refuses a meter that the authority has revoked", async () => {
  const standingOf = (meter: string): Standing => (meter === toHex(kid) ? "revoked" : "good");
  await assert.rejects(admit({ ...ports(), standingOf }, topic, recordOf()), refusal("revoked"));
});

test("refuses a meter that is suspended, and of one that has ended the numbers behind its end", async () => {
  const suspended = { ...ports(), standingOf: (): Standing => "suspended" };
  await assert.rejects(admit(suspended, topic, recordOf()), refusal("suspended"));
  const standingOf = (_meter: string, service: number, seq: number): Standing =>
    service === 1 && seq < 1 ? "good" : "ended";
  await admit({ ...ports(), standingOf }, topic, recordOf());
  const next = recordOf({ seq: 1, previous: new Uint8Array(32) });
  await assert.rejects(admit({ ...ports(), standingOf }, topic, next), refusal("ended"));
});

test("refuses a revoked meter as revoked at a node that never had its credential, too", async () => {
  const unheard = { ...ports(), credential: () => undefined };
  await assert.rejects(admit(unheard, topic, recordOf()), refusal("unknown-meter"));
  await assert.rejects(admit({ ...unheard, isRevoked: () => true }, topic, recordOf()), refusal("revoked"));
});

test("refuses a signature that is another key's", async () => {
  await assert.rejects(
    admit(ports(), topic, recordOf({}, signerFromSeed(generateSeed()), kid)),
    refusal("bad-signature"),
  );
});

test("refuses a service that the credential does not permit", async () => {
  const known = parseCredential(issueCredential({ ...terms, services: [2] }, authority));
  await assert.rejects(admit(ports(undefined, NOW_S, known), topic, recordOf()), refusal("service-not-permitted"));
});

test("refuses a record by the credential of a participant, and takes one of a participant that measures too", async () => {
  const held = (...roles: readonly Role[]) => parseCredential(issueCredential({ ...terms, roles }, authority));
  for (const role of ["customer", "grid-operator", "registrar", "final-customer"] as const) {
    const known = held(role);
    await assert.rejects(admit(ports(undefined, NOW_S, known), topic, recordOf()), refusal("role-not-permitted"));
  }
  for (const role of ["meter", "gateway"] as const) await admit(ports(undefined, NOW_S, held(role)), topic, recordOf());
  await admit(ports(undefined, NOW_S, held("gateway", "customer")), topic, recordOf());
});

test("takes a birth whose credential has a warrant, and verifies both signatures", async () => {
  const issuing = signerFromSeed(generateSeed());
  const warranted = { network: "test", notBefore_s: 0, expires_s: NOW_S, key: issuing.key };
  const verified: Uint8Array[] = [];
  const birth = (warrant: Uint8Array, by = issuing) =>
    admitCredential(genesis, toHex(kid), issueCredential(terms, by, warrant), (key, ...signed) => {
      verified.push(key.x);
      return verifyOfAnybody(key, ...signed);
    });
  assert.equal((await birth(issueWarrant(warranted, authority))).subject, "meter-1");
  assert.deepEqual(verified, [authority.key.x, issuing.key.x]);
  const stranger = signerFromSeed(generateSeed());
  const forged: readonly (readonly [Uint8Array, typeof issuing?])[] = [
    [issueWarrant(warranted, stranger)],
    [issueWarrant(warranted, authority), stranger],
    [issueWarrant({ ...warranted, network: "other" }, authority)],
    [issueWarrant({ ...warranted, expires_s: terms.notBefore_s }, authority)],
  ];
  for (const given of forged) await assert.rejects(birth(...given), refusal("credential-invalid"));
});

test("refuses a number out of all proportion, and one whose fork is recorded", async () => {
  const far = recordOf({ seq: 2_000_000, previous: new Uint8Array(32) });
  await assert.rejects(admit(ports(), topic, far), refusal("out-of-sequence"));
  const state = { ...emptyMeterState, high: 3, forks: [2] };
  const forked = recordOf({ seq: 2, previous: new Uint8Array(32) });
  await assert.rejects(admit(ports(state), topic, forked), refusal("fork"));
  // Eight are recorded of a meter, and no other is taken.
  const often = { ...emptyMeterState, high: 30, forks: Array.from({ length: 8 }, (_, place) => 20 + place) };
  await assert.rejects(admit(ports(often), topic, forked), refusal("fork"));
});

test("refuses a time far ahead of the node's clock, and takes one long past", async () => {
  await assert.rejects(admit(ports(), topic, recordOf({ time_s: NOW_S + 3_601 })), refusal("clock-far-off"));
  assert.equal((await admit(ports(), topic, recordOf({ time_s: 1 }))).claims.time_s, 1);
});

test("takes a birth's credential of this authority and topic alone, and verifies a signature where the rest is good", async () => {
  let verified = 0;
  const birth = (id: string, bytes: Uint8Array) =>
    admitCredential(genesis, id, bytes, (...signed) => {
      verified += 1;
      return verifyOfAnybody(...signed);
    });
  assert.equal((await birth(toHex(kid), credential)).subject, "meter-1");
  const forged = issueCredential(terms, signerFromSeed(generateSeed()));
  await assert.rejects(birth(toHex(kid), forged), refusal("credential-invalid"));
  assert.equal(verified, 2);
  const foreign = issueCredential({ ...terms, issuer: "other/0011223344556677" }, authority);
  await assert.rejects(birth(toHex(kid), foreign), refusal("credential-invalid"));
  await assert.rejects(birth(toHex(kid), Uint8Array.of(0)), refusal("malformed"));
  await assert.rejects(birth("0000000000000000", credential), refusal("wrong-topic"));
  assert.equal(verified, 2);
});

test("a later credential of the same key takes the place of an earlier one, another key's never", () => {
  const known = parseCredential(credential);
  assert.ok(replaces(undefined, known));
  assert.ok(!replaces(known, known));
  assert.ok(replaces(known, { ...known, expires_s: known.expires_s + 1 }));
  assert.ok(!replaces(known, { ...known, expires_s: known.expires_s - 1 }));
  assert.ok(!replaces(known, { ...known, key: nodeKey, expires_s: known.expires_s + 1 }));
});

test("a number behind the window is too late unless its gap is open", () => {
  const state = { ...emptyMeterState, high: 5_000, gaps: [[10, 20]] as const };
  assert.ok(isTooLate(state, 9));
  assert.ok(!isTooLate(state, 15));
  assert.ok(!isTooLate(state, 4_990));
  assert.ok(!isTooLate(undefined, 0));
});

test("a chain goes by the credential that it has sealed, and by one of other services or roles not even once that has ended", async () => {
  const read = (more: object) => parseCredential(issueCredential({ ...terms, ...more }, authority));
  const sealed = read({});
  const state = { ...emptyMeterState, from_s: sealed.notBefore_s, until_s: sealed.expires_s };
  const admitBy = (known: ReturnType<typeof read>, now_s: number, onChain = sealed) =>
    admit(ports(state, now_s, known, onChain), topic, recordOf({ time_s: now_s }));
  const wider = read({ expires_s: NOW_S + 500, services: [1, 2] });
  await admitBy(wider, NOW_S);
  await assert.rejects(admitBy(wider, NOW_S + 200), /does not take its place/);
  await admitBy(read({ expires_s: NOW_S + 500 }), NOW_S + 200);
  await assert.rejects(admitBy(sealed, NOW_S, read({ roles: ["customer"] })), refusal("role-not-permitted"));
});

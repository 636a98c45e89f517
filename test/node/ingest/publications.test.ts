// Births at a node, many of them forged: whose credential is verified, and whose is not looked at.

import assert from "node:assert/strict";
import test from "node:test";
import { toHex } from "../../../src/wire/bytes.js";
import { issueCredential, issuerName, parseCredential } from "../../../src/wire/credential.js";
import { issueGenesis, verifyGenesis } from "../../../src/wire/genesis.js";
import { keyId, type PublicKey } from "../../../src/wire/key.js";
import { parseAnyRecord, signOperation } from "../../../src/wire/operation.js";
import { digestsOf, encodeDisclosure, signRecord } from "../../../src/wire/record.js";
import type { SealedDisclosures } from "../../../src/wire/sealed-disclosure.js";
import { generateSeed, nodeVerify, signerFromSeed } from "../../../tools/crypto/signatures.js";
import type { ReadRecord } from "../../../tools/ledger/record-scan.js";
import type { credentials } from "../../../tools/node/chain/tables/credentials.js";
import { rateDefaults } from "../../../tools/node/ingest/allowances.js";
import type { AdmissionsPorts } from "../../../tools/node/ingest/publication-ports.js";
import { createAdmissions } from "../../../tools/node/ingest/publications.js";
import { chainIn, type IdKey, idIn } from "../../../tools/node/store/keys.js";
import { createMetrics } from "../../../tools/node/watch/metrics.js";

const SERVICE = 1;
/** More than the node verifies at once. */
const FORGERIES = 3_000;
const NOW_S = 1_800_000_000;

const authority = signerFromSeed(generateSeed());
const nodeKey = signerFromSeed(generateSeed()).key;
const member = { id: keyId(nodeKey), key: nodeKey, name: "node-1" };
const chain = { service: SERVICE, name: "trading", members: [member], target: 0, verifiers: 1 };
const terms = { network: "test", time_s: 1, nodes: [member], chains: [chain] };
const genesis = verifyGenesis(issueGenesis(terms, authority), nodeVerify);

function createBirth(
  signer = authority,
  role: "meter" | "customer" = "meter",
  { holder = signerFromSeed(generateSeed()), until_s = NOW_S + 9 } = {},
) {
  const { key } = holder;
  const kid = keyId(key);
  const credential = issueCredential(
    {
      ...{ issuer: issuerName(genesis), subject: "meter", notBefore_s: NOW_S - 9, expires_s: until_s, id: kid, key },
      ...{ statusIndex: 0, services: [SERVICE], roles: [role] },
    },
    signer,
  );
  return { meter: toHex(kid), credential, holder };
}

function isSignedBy(key: PublicKey, record: Uint8Array): boolean {
  const { signedBytes, signature } = parseAnyRecord(record);
  return nodeVerify(key, signedBytes, signature);
}

/**
 * A node's admissions, its clock as it is set; what the chain holds, what it knows of a record each time it is asked, and whom the node
 * has come to know.
 */
function createNode(
  sealed: ReadonlyMap<string, Uint8Array> = new Map(),
  clock = { now_s: NOW_S },
  knowledge: readonly string[] = ["none"],
) {
  const known = new Map<string, Uint8Array>();
  const admitted: number[] = [];
  /** whether what a record hides came with it */
  const encrypted: boolean[] = [];
  let asked = 0;
  const chainOf = {
    ...{ isWaiting: () => false, hasMember: () => true, waitingOf: () => 0 },
    known() {
      asked += 1;
      return knowledge[asked - 1] ?? knowledge.at(-1);
    },
    async admit({ claims }: ReadRecord, hidden: SealedDisclosures | undefined) {
      admitted.push(claims.seq);
      encrypted.push(hidden !== undefined);
      return "admitted";
    },
  };
  let verified = 0;
  const writer = {
    put: (_table: typeof credentials, key: IdKey, bytes: Uint8Array) => known.set(toHex(idIn(key)), bytes),
  };
  const ports = {
    genesis,
    self: toHex(member.id),
    store: {
      get: (table: { readonly name: string }, key: IdKey) =>
        table.name === "credentials" ? (chainIn(key) === 0 ? known : sealed).get(toHex(idIn(key))) : undefined,
      write: async (put: (given: typeof writer) => unknown) => void put(writer),
    },
    chains: new Map([[SERVICE, chainOf]]),
    introductions: { onBirth() {} },
    metrics: createMetrics(),
    log: { debug() {}, info() {}, warn() {} },
    verifyRecord: async (key: PublicKey, record: Uint8Array) => isSignedBy(key, record),
    sealsService: () => true,
    async verifyBirth(...signed: Parameters<typeof nodeVerify>) {
      verified += 1;
      return nodeVerify(...signed);
    },
    now_ms: () => clock.now_s * 1_000,
    monotonic_ms: () => 0,
    sealDisclosures: async () => ({ type: "sealed", sealed: {} }),
    rate: rateDefaults,
    isRevoked: () => false,
    holderStanding: () => "good" as const,
    standingOf: () => "good" as const,
    publish() {},
    isProved: () => true,
    // Sessions of these tests are named after where they come from.
    addressOf: (client: string) => (client.includes("@") ? client.slice(client.indexOf("@") + 1) : undefined),
  };
  const admissions = createAdmissions(ports as unknown as AdmissionsPorts);
  const give = (meter: string, credential: Uint8Array, client: string) =>
    admissions.onPublish({ kind: "birth", meter }, credential, client);
  return { known, admitted, encrypted, verified: () => verified, give, submit: admissions.submit };
}

test("births that are no credentials do not keep a new meter's from being verified", async () => {
  const { known, verified, give } = createNode();
  const { meter, credential } = createBirth();
  for (let count = 0; count < FORGERIES; count += 1) await give(meter, Uint8Array.of(count & 0x7f), `session-${count}`);
  await give(meter, credential, "its own");
  assert.deepEqual([known.get(meter), verified()], [credential, 1]);
});

test("a meter that is on a chain is known at once, whatever forged births a node has verified", async () => {
  const sealed = createBirth();
  const { known, verified, give } = createNode(new Map([[sealed.meter, sealed.credential]]));
  const forged = createBirth(signerFromSeed(generateSeed()));
  for (let count = 0; count < FORGERIES; count += 1) await give(forged.meter, forged.credential, `session-${count}`);
  const limited = verified();
  assert.ok(limited > 0 && limited < FORGERIES, "what is verified of strangers has a limit");
  await give(sealed.meter, sealed.credential, "its own");
  assert.deepEqual(
    [known.get(sealed.meter), known.get(forged.meter), verified()],
    [sealed.credential, undefined, limited],
  );
});

test("well-formed births that are forged use up the share of their address, and not what is there for all", async () => {
  const { known, verified, give } = createNode();
  for (let count = 0; count < FORGERIES; count += 1) {
    const { meter, credential } = createBirth(count === 0 ? authority : signerFromSeed(new Uint8Array(32).fill(count)));
    await give(meter, credential, `session-${count}@192.0.2.1`);
  }
  const wasted = verified();
  assert.ok(wasted > 1 && wasted < 50, `${wasted} of them were verified`);
  const births = Array.from({ length: 300 }, () => createBirth());
  for (const [index, { meter, credential }] of births.entries()) {
    await give(meter, credential, `session-${index}@192.0.2.${2 + (index % 3)}`);
  }
  assert.ok(
    births.every(({ meter }) => known.has(meter)),
    "a hundred new meters of each other address are known",
  );
});

test("one meter's births are not verified again and again for one address", async () => {
  const { verified, give } = createNode();
  const { meter, credential } = createBirth();
  const forged = credential.slice();
  forged[forged.length - 1]! ^= 1;
  for (let count = 0; count < 12; count += 1) await give(meter, forged, `session-${count}@192.0.2.1`);
  assert.ok(verified() <= 8);
  await give(meter, credential, "its own@192.0.2.2");
  assert.ok(verified() <= 9);
});

test("who has signed something that a chain has sealed is known, though it never showed this node its credential", async () => {
  const anna = createBirth(authority, "customer");
  const { known, admitted, submit } = createNode(new Map([[anna.meter, anna.credential]]));
  const claims = { service: SERVICE, serviceId: 0, seq: 0, time_s: NOW_S, quality: 2, type: 16, body: null };
  const operation = signOperation({ ...claims, previous: new Uint8Array(0) }, [], anna.holder, keyId(anna.holder.key));
  const answer = await submit({ bytes: operation, holder: undefined });
  assert.deepEqual(answer, { type: "taken", service: SERVICE, meter: anna.meter, seq: 0 });
  assert.deepEqual(admitted, [0]);
  assert.deepEqual(known.get(anna.meter), anna.credential, "other chains of the node take it as shown");
});

test("who renews its credential and shows it by HTTP alone goes on behind the end of the first", async () => {
  const first = createBirth(authority, "customer");
  const { holder, meter } = first;
  const renewed = createBirth(authority, "customer", { holder, until_s: NOW_S + 99 });
  const clock = { now_s: NOW_S };
  const { known, admitted, verified, submit } = createNode(new Map(), clock);
  const show = (seq: number, credentialBytes: Uint8Array) => {
    const claims = { service: SERVICE, serviceId: 0, seq, time_s: NOW_S, quality: 2, type: 16, body: null };
    const previous = new Uint8Array(seq === 0 ? 0 : 32);
    const bytes = signOperation({ ...claims, previous }, [], holder, keyId(holder.key));
    return submit({ bytes, holder: { id: meter, credential: parseCredential(credentialBytes), credentialBytes } });
  };
  const taken = (seq: number) => ({ type: "taken", service: SERVICE, meter, seq });
  assert.deepEqual(await show(0, first.credential), taken(0));
  assert.deepEqual(await show(1, first.credential), taken(1));
  clock.now_s = NOW_S + 9;
  const late = await show(2, first.credential);
  assert.equal(late.type === "refused" && late.reason, "credential-invalid");
  assert.deepEqual(await show(2, renewed.credential), taken(2));
  assert.deepEqual(known.get(meter), renewed.credential);
  // A token of before that is still shown takes nothing back, and costs nothing.
  assert.deepEqual(await show(3, first.credential), taken(3));
  assert.deepEqual([known.get(meter), verified(), admitted], [renewed.credential, 2, [0, 1, 2, 3]]);
});

/** A reading that hides something, as its meter publishes it. */
function confiding() {
  const { meter, credential, holder } = createBirth();
  const registers = [{ obis: Uint8Array.of(1, 0, 1, 7, 0, 255), value: 4, scaler: 0, unit: 27 }];
  const hidden = encodeDisclosure({ salt: new Uint8Array(16), label: "power", registers });
  const claims = { service: SERVICE, serviceId: 0, seq: 0, previous: new Uint8Array(0), time_s: NOW_S, quality: 2 };
  const signed = { ...claims, digests: digestsOf([hidden]) };
  return { meter, credential, bytes: signRecord(signed, [hidden], holder, keyId(holder.key)) };
}

test("a reading that forks another one is taken with what it hides, encrypted", async () => {
  const { meter, credential, bytes } = confiding();
  const { admitted, encrypted, submit } = createNode(new Map([[meter, credential]]), undefined, ["other"]);
  assert.equal((await submit({ bytes, holder: undefined })).type, "taken");
  assert.deepEqual([admitted, encrypted], [[0], [true]]);
});

test("readings that fork another one are encrypted no faster than their meter's rate", async () => {
  const { meter, credential, bytes } = confiding();
  const { encrypted, submit } = createNode(new Map([[meter, credential]]), undefined, ["other"]);
  const { burst } = rateDefaults;
  for (let count = 0; count < burst; count += 1) await submit({ bytes, holder: undefined });
  const more = await submit({ bytes, holder: undefined });
  assert.equal(more.type === "refused" && more.reason, "rate-limited");
  assert.equal(encrypted.length, burst);
});

test("a reading that waits no more, once it is looked at again, is not taken without what it hides", async () => {
  const { meter, credential, bytes } = confiding();
  const { admitted, submit } = createNode(new Map([[meter, credential]]), undefined, ["waiting", "none"]);
  assert.equal((await submit({ bytes, holder: undefined })).type, "busy");
  assert.deepEqual(admitted, []);
});

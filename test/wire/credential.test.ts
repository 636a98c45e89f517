// Credentials and the genesis: what the authority issues is what everybody reads, and no bit of it can be changed.

import assert from "node:assert/strict";
import { createECDH, createPublicKey } from "node:crypto";
import { test } from "node:test";
import { Algorithms, Sign1 } from "@auth0/cose";
import { decode } from "cbor-x";
import fc from "fast-check";
import { encodeSign1, protectedHeader, sign1Bytes } from "../../src/wire/cose.js";
import {
  type Credential,
  isDevice,
  issueCredential,
  issuerName,
  keyOrigins,
  parseCredential,
  roles,
  verifyCredential,
} from "../../src/wire/credential.js";
import { WireError } from "../../src/wire/error.js";
import { chainOf, issueGenesis, memberSetHash, verifyGenesis } from "../../src/wire/genesis.js";
import {
  decodeKey,
  ED25519,
  ESP256,
  encodeKey,
  equalKeys,
  idFromText,
  keyId,
  type PublicKey,
} from "../../src/wire/key.js";
import { issueWarrant, verifyWarrant } from "../../src/wire/warrant.js";
import { nodeVerify } from "../../tools/crypto/signatures.js";
import { fixedBytes, upTo } from "./arbitraries.js";
import { type Item, independentCbor, tagged18 } from "./independent-cbor.js";
import { sha256, signerNamed, startTime_s, testMeter, testNetwork } from "./network.js";

const authority = signerNamed("credential authority");
const network = testNetwork();

const keys: fc.Arbitrary<PublicKey> = fc.oneof(
  fixedBytes(32).map((x): PublicKey => ({ algorithm: ED25519, x })),
  fixedBytes(31).map((secret) => pointOf(secret)),
);

/** The P-256 key of a secret, by node:crypto. */
function pointOf(secret: Uint8Array): PublicKey {
  const pair = createECDH("prime256v1");
  pair.setPrivateKey(Buffer.concat([secret, Buffer.of(1)]));
  const point = Uint8Array.from(pair.getPublicKey());
  return { algorithm: ESP256, x: point.slice(1, 33), y: point.slice(33) };
}

const credentials: fc.Arbitrary<Credential> = fc.record(
  {
    issuer: fc.string({ minLength: 1, maxLength: 49 }),
    subject: fc.string({ minLength: 1, maxLength: 64 }),
    notBefore_s: upTo(2 ** 41 - 1),
    expires_s: upTo(2 ** 42 - 1, 2 ** 41),
    id: fixedBytes(8),
    key: keys,
    statusIndex: fc.integer({ min: 0, max: 0xffffffff }),
    services: fc
      .uniqueArray(fc.integer({ min: 1, max: 65_535 }), { maxLength: 8 })
      .map((services) => services.sort((left, right) => left - right)),
    roles: fc.subarray([...roles], { minLength: 1 }),
    jurisdiction: fc.stringMatching(/^[A-Z]{2}(-[A-Z0-9]{1,3})?$/),
    deliveryKey: fixedBytes(32),
    origin: fc.record(
      { key: fc.constantFrom(...keyOrigins), lot: fc.string({ minLength: 1, maxLength: 32 }) },
      { requiredKeys: ["key"], noNullPrototype: true },
    ),
  },
  {
    requiredKeys: ["issuer", "subject", "notBefore_s", "expires_s", "id", "key", "statusIndex", "services", "roles"],
    noNullPrototype: true,
  },
);

test("reads every key that it writes and names it by its hash", () => {
  fc.assert(
    fc.property(keys, keys, (key, other) => {
      const bytes = encodeKey(key);
      assert.deepEqual(decodeKey(bytes), key);
      assert.deepEqual(keyId(key), sha256(bytes).slice(0, 8));
      assert.deepEqual(idFromText(Buffer.from(keyId(key)).toString("hex")), keyId(key));
      assert.equal(equalKeys(key, other), Buffer.compare(bytes, encodeKey(other)) === 0);
    }),
  );
  assert.equal(idFromText("0123456789ABCDEF"), undefined);
});

test("refuses keys of other types and curves", () => {
  const x = new Uint8Array(32);
  for (const entries of [
    [
      [1, 1],
      [-1, 7],
      [-2, x],
    ],
    [
      [1, 2],
      [-1, 6],
      [-2, x],
      [-3, x],
    ],
    [
      [1, 1],
      [-1, 6],
      [-2, x],
      [-3, x],
    ],
    [
      [1, 1],
      [-1, 6],
      [-3, x],
    ],
    [
      [1, 1],
      [-1, 6],
      [-2, x.slice(1)],
    ],
    [
      [1, 1],
      [3, -19],
      [-1, 6],
      [-2, x],
    ],
    [
      [1, 2],
      [-1, 1],
      [-2, x],
      [-3, true],
    ],
    [
      [1, 3],
      [-1, 6],
      [-2, x],
    ],
  ] as const) {
    assert.throws(() => decodeKey(independentCbor(new Map<number, Item>(entries))), WireError);
  }
});

test("reads every credential that the authority issues", () => {
  fc.assert(
    fc.property(credentials, (drawn) => {
      const issuer = { network: "other", authority: authority.key };
      const credential = { ...drawn, issuer: issuerName(issuer) };
      const bytes = issueCredential(credential, authority);
      assert.deepEqual(parseCredential(bytes), credential);
      assert.deepEqual(verifyCredential(bytes, issuer, nodeVerify), credential);
      assert.throws(() => verifyCredential(bytes, network.genesis, nodeVerify), /not signed by the authority/);
      // The same authority, but another of its networks.
      assert.throws(() => verifyCredential(bytes, { ...issuer, network: "third" }, nodeVerify), /is issued by other\//);
      assert.equal(isDevice(credential), drawn.roles[0] === "meter" || drawn.roles[0] === "gateway");
    }),
    { numRuns: 50 },
  );
});

const issuing = signerNamed("issuing key");
const term = { network: "alpha", notBefore_s: startTime_s - 5, expires_s: startTime_s + 5, key: issuing.key };
const warrant = issueWarrant(term, network.authority);
const warranted = (given = warrant, signer = issuing) =>
  testMeter(network, "M0001", [1], {}, { signer, warrant: given }).credential;

test("takes a credential of a key that the authority gave a warrant, within its network and time", () => {
  assert.deepEqual(verifyWarrant(warrant, network.genesis, nodeVerify), term);
  assert.equal(verifyCredential(warranted(), network.genesis, nodeVerify).subject, "M0001");
  const given = (changes: Partial<typeof term>, by = network.authority) => issueWarrant({ ...term, ...changes }, by);
  const cases: readonly (readonly [Uint8Array, RegExp])[] = [
    [warranted(given({ network: "beta" })), /warrant is for network beta/],
    [warranted(given({}, issuing)), /warrant is not signed by the authority/],
    [warranted(given({ notBefore_s: startTime_s + 1 })), /not in force/],
    [warranted(given({ expires_s: startTime_s })), /not in force/],
    [warranted(given({ key: authority.key })), /credential is not signed/],
    [warranted(warrant, network.authority), /credential is not signed/],
  ];
  for (const [bytes, message] of cases) {
    assert.throws(() => verifyCredential(bytes, network.genesis, nodeVerify), message, String(message));
  }
  warranted(given({ notBefore_s: startTime_s }));
  assert.throws(
    () => issueWarrant({ ...term, expires_s: term.notBefore_s }, network.authority),
    /ends before it begins/,
  );
  assert.throws(() => issueWarrant({ ...term, network: "" }, network.authority), /warrant network/);
});

test("a signature over anything else is no warrant", () => {
  const header = protectedHeader(ED25519);
  const key = new Map<number, Item>([
    [1, 1],
    [-1, 6],
    [-2, issuing.key.x],
  ]);
  const sealed = (payload: Item, unprotected: ReadonlyMap<number, Item> = new Map()) => {
    const bytes = independentCbor(payload);
    return tagged18([header, unprotected, bytes, network.authority.sign(sign1Bytes(header, bytes))]);
  };
  const items = (first: Item): Item => [first, "alpha", 1, startTime_s + 5, key];
  const verify = (bytes: Uint8Array) => verifyCredential(warranted(bytes), network.genesis, nodeVerify);
  verify(sealed(items("gs1/warrant")));
  for (const [payload, message] of [
    [items("gs1/ready"), /begin with its name/],
    [["gs1/warrant", "alpha", 1, startTime_s + 5], /an array of 5/],
    [["gs1/warrant", "alpha", -1, startTime_s + 5, key], /warrant begin/],
    [["gs1/warrant", "alpha", 1, 2 ** 42, key], /warrant end/],
    [["gs1/warrant", "alpha", 1, startTime_s + 5, 7], /COSE_Key|key/],
  ] as const) {
    assert.throws(() => verify(sealed(payload as Item)), message);
  }
  assert.throws(() => verify(sealed(items("gs1/warrant"), new Map([[4, 1]]))), /unprotected/);
  assert.throws(() => verify(network.genesisBytes), /larger than 256|shape|array/);
});

test("refuses every single-bit change of a credential by a warrant", () => {
  const credential = warranted();
  for (let bit = 0; bit < 8 * credential.length; bit += 1) {
    const bytes = Uint8Array.from(credential);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    assert.throws(() => verifyCredential(bytes, network.genesis, nodeVerify), WireError, `bit ${bit}`);
  }
});

test("refuses every single-bit change of a credential", () => {
  const { credential } = testMeter(network, "M0001");
  for (let bit = 0; bit < 8 * credential.length; bit += 1) {
    const bytes = Uint8Array.from(credential);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    assert.throws(() => verifyCredential(bytes, network.genesis, nodeVerify), WireError, `bit ${bit}`);
  }
});

test("refuses credentials of a wrong shape, signed as they are", () => {
  const key = new Map<number, Item>([
    [1, 1],
    [-1, 6],
    [-2, signerNamed("x").key.x],
  ]);
  /** The private claim with other items in their places. */
  const own = (...changes: readonly (readonly [number, Item])[]): Item => {
    const items: Item[] = [0, [1, 3], [0], null, null, null];
    for (const [place, item] of changes) items[place] = item;
    return items;
  };
  const base: readonly (readonly [number, Item])[] = [
    [1, "alpha/00"],
    [2, "M1"],
    [4, 2],
    [5, 1],
    [7, new Uint8Array(8)],
    [8, new Map([[1, key]])],
    [-70_001, own()],
  ];
  const issue = (changes: readonly (readonly [number, Item])[], unprotected: ReadonlyMap<number, Item> = new Map()) => {
    const header = protectedHeader(ED25519);
    const payload = independentCbor(new Map([...base, ...changes]));
    return tagged18([header, unprotected, payload, authority.sign(sign1Bytes(header, payload))]);
  };
  assert.equal(parseCredential(issue([])).subject, "M1");
  const cases: readonly (readonly [readonly (readonly [number, Item])[], RegExp])[] = [
    [[[1, ""]], /iss/],
    [[[2, "x".repeat(65)]], /sub/],
    [[[4, -1]], /exp/],
    [[[5, null]], /nbf/],
    [[[7, new Uint8Array(7)]], /cti/],
    [[[8, new Map([[3, key]])]], /cnf/],
    [[[8, key]], /cnf|COSE_Key/],
    [[[-70_001, own([1, [1, 1]])]], /ascending/],
    [[[-70_001, own([1, [3, 1]])]], /ascending/],
    [[[-70_001, own([2, [16]])]], /role/],
    [[[-70_001, own([2, 0])]], /roles/],
    [[[-70_001, own([2, []])]], /roles are none/],
    [[[-70_001, own([2, [1, 0]])]], /ascending/],
    [[[-70_001, own([2, [4, 4]])]], /ascending/],
    [[[-70_001, own([0, 2 ** 32])]], /status index/],
    [[[-70_001, own([1, [65_536]])]], /service/],
    [[[-70_001, own([3, "de"])]], /jurisdiction/],
    [[[-70_001, own([3, "DEU"])]], /jurisdiction/],
    [[[-70_001, own([3, "DE-"])]], /jurisdiction/],
    [[[-70_001, own([3, 49])]], /jurisdiction/],
    [[[-70_001, own([4, new Uint8Array(31)])]], /delivery key/],
    [[[-70_001, own([5, [0, null]])]], /origin 0 is not known/],
    [[[-70_001, own([5, [4, null]])]], /origin 4 is not known/],
    [[[-70_001, own([5, [1, "x".repeat(33)]])]], /lot/],
    [[[-70_001, own([5, [1]])]], /an array of 2/],
    [[[-70_001, [0, [1, 3], [0], null, null]]], /an array of 6/],
    [[[6, 1]], /unknown key 6/],
  ];
  for (const [changes, message] of cases) assert.throws(() => parseCredential(issue(changes)), message);
  assert.throws(() => parseCredential(issue([], new Map([[4, new Uint8Array(8)]]))), /unprotected header/);
  assert.throws(() => parseCredential(issue([[2, "x".repeat(1_100)]])), /larger than/);
});

test("reads every genesis that the authority issues and finds its chains", () => {
  const { genesis, genesisBytes, nodes } = network;
  assert.deepEqual(genesis.hash, sha256(genesisBytes));
  assert.deepEqual(genesis.authority, network.authority.key);
  assert.deepEqual(
    genesis.nodes,
    nodes.map(({ id, key, name }) => ({ id, key, name })),
  );
  assert.deepEqual(
    chainOf(genesis, 3)!.members.map(({ name }) => name),
    ["node-3", "node-2", "node-1", "node-0"],
  );
  assert.equal(chainOf(genesis, 2), undefined);
  const set = nodes.map((node) => [
    node.id,
    new Map<number, Item>([
      [1, 1],
      [-1, 6],
      [-2, node.key.x],
    ]),
  ]);
  assert.deepEqual(memberSetHash(genesis.nodes), sha256(independentCbor(set as Item)));
});

test("refuses every single-bit change of a genesis", () => {
  const { genesisBytes } = testNetwork("beta", 1);
  for (let bit = 0; bit < 8 * genesisBytes.length; bit += 1) {
    const bytes = Uint8Array.from(genesisBytes);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    assert.throws(() => verifyGenesis(bytes, nodeVerify), WireError, `bit ${bit}`);
  }
});

test("refuses a genesis whose hash something unsigned would change", () => {
  const { authority: signer } = network;
  const header = protectedHeader(ED25519);
  const payload = independentCbor(new Map([[1, 1]]));
  const bytes = encodeSign1(
    header,
    new Map([[4, new Uint8Array(8)]]),
    payload,
    signer.sign(sign1Bytes(header, payload)),
  );
  assert.throws(() => verifyGenesis(bytes, nodeVerify), /unprotected header/);
});

test("does not issue a genesis that could not be read", () => {
  const { genesis } = network;
  const [chain] = genesis.chains;
  const [first, second] = genesis.nodes;
  const cases: readonly (readonly [Partial<typeof genesis>, RegExp])[] = [
    [{ network: "Alpha" }, /network/],
    [{ nodes: [] }, /1 to 128 nodes/],
    [{ nodes: [first!, first!] }, /node twice/],
    [{ nodes: [{ ...first!, id: second!.id }] }, /id is not its key's/],
    [{ chains: [] }, /1 to 64 chains/],
    [{ chains: [chain!, chain!] }, /chain twice/],
    [{ chains: [chain!, { ...chain!, service: 2 }] }, /chain name twice/],
    [{ chains: [{ ...chain!, service: 0 }] }, /an integer from 1 to 65535, not 0/],
    [{ chains: [{ ...chain!, members: [] }] }, /no members/],
    [{ chains: [{ ...chain!, members: [first!, first!] }] }, /member twice/],
    [{ chains: [{ ...chain!, members: [{ ...first!, id: new Uint8Array(8) }] }] }, /chain member/],
    [{ chains: [{ ...chain!, target: 0x03800000 }] }, /no compact difficulty/],
    [{ chains: [{ ...chain!, target: 0x01000001 }] }, /no compact difficulty/],
  ];
  for (const [change, message] of cases) {
    assert.throws(() => issueGenesis({ ...genesis, ...change }, network.authority), message, String(message));
  }
});

test("verifies as a CWT with a library for COSE and another codec, and no more once a claim is changed", async () => {
  const { key: issuer } = authority;
  const jwk = { kty: "OKP", crv: "Ed25519", x: Buffer.from(issuer.x).toString("base64url") };
  const publicKey = createPublicKey({ key: jwk, format: "jwk" });
  const credential: Credential = {
    ...{ issuer: issuerName({ network: "alpha", authority: issuer }), subject: "anna", statusIndex: 9 },
    ...{ notBefore_s: startTime_s, expires_s: startTime_s + 1_000, id: new Uint8Array(8).fill(3), key: issuer },
    ...{ services: [1], roles: ["supplier", "registrar"], jurisdiction: "DE" },
  };
  const bytes = issueCredential(credential, authority);
  const verifies = async (message: Uint8Array) => {
    const parsed = Sign1.decode(message);
    // The library knows Ed25519 by its older number alone.
    Object.defineProperty(parsed, "alg", { value: Algorithms.EdDSA });
    return parsed.verify(publicKey).then(
      () => true,
      () => false,
    );
  };
  assert.ok(await verifies(bytes));
  const tampered = Uint8Array.from(bytes);
  tampered[Buffer.from(bytes).indexOf("anna")]! ^= 1;
  assert.ok(!(await verifies(tampered)));
  const claims = decode(Buffer.from(Sign1.decode(bytes).payload)) as Readonly<Record<number, unknown>>;
  assert.deepEqual(
    [claims[1], claims[2], claims[4], claims[5], Buffer.from(claims[7] as Uint8Array).toString("hex")],
    [credential.issuer, "anna", startTime_s + 1_000, startTime_s, "03".repeat(8)],
  );
});

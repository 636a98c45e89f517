// The record: what a meter signs is what a node reads, with and without its disclosures, and each rule of its shape refuses.

import assert from "node:assert/strict";
import { createPublicKey, type KeyObject } from "node:crypto";
import { test } from "node:test";
import { Algorithms, errors, Sign1 } from "@auth0/cose";
import fc from "fast-check";
import { encodeSign1, parseSign1, protectedHeader, sign1Bytes } from "../../src/wire/cose.js";
import { WireError, type WireErrorCode } from "../../src/wire/error.js";
import { ED25519, keyId } from "../../src/wire/key.js";
import {
  type Claims,
  digestsOf,
  encodeDisclosure,
  parseRecord,
  RECORD_BYTES_MAX,
  type Register,
  signRecord,
  stripOwnRecord,
  stripRecord,
} from "../../src/wire/record.js";
import { nodeVerify } from "../../tools/crypto/signatures.js";
import { claims as anyClaims, fixedBytes, registers } from "./arbitraries.js";
import { type Item, independentCbor } from "./independent-cbor.js";
import { sha256, signerNamed } from "./network.js";

const signer = signerNamed("record meter");
const kid = keyId(signer.key);
const energy: Register = { obis: Uint8Array.of(1, 0, 1, 8, 0, 255), value: 2_130_115, scaler: 0, unit: 30 };
const power: Register = { obis: Uint8Array.of(1, 0, 1, 7, 0, 255), value: 193, scaler: 0, unit: 27 };
const claims: Claims = {
  service: 1,
  serviceId: 12,
  seq: 0,
  previous: new Uint8Array(0),
  time_s: 1_587_933_205,
  quality: 2,
  registers: [energy],
};
const hidden = encodeDisclosure({ salt: new Uint8Array(16).fill(9), label: "load", registers: [power] });

function refused(bytes: Uint8Array, code: WireErrorCode, message: RegExp): void {
  assert.throws(
    () => parseRecord(bytes),
    (thrown) => thrown instanceof WireError && thrown.code === code && message.test(thrown.message),
    String(message),
  );
}

/** A record over claims written by hand, signed as a meter would. */
function recordOf(map: ReadonlyMap<number, Item>, unprotected: ReadonlyMap<number, Item> = new Map()): Uint8Array {
  const header = protectedHeader(ED25519, kid);
  const payload = independentCbor(map);
  const signature = signer.sign(sign1Bytes(header, payload));
  return Buffer.concat([Buffer.of(0xd2), independentCbor([header, unprotected, payload, signature])]);
}

const base: readonly (readonly [number, Item])[] = [
  [1, 1],
  [2, 1],
  [3, 12],
  [4, 0],
  [5, new Uint8Array(0)],
  [6, 1_587_933_205],
  [7, 2],
];
const changed = (...entries: readonly (readonly [number, Item])[]) => new Map([...base, ...entries]);
const without = (key: number) => new Map(base.filter(([other]) => other !== key));

test("reads what was signed, before and after the disclosures are dropped", () => {
  const groups = fc.uniqueArray(
    fc.record(
      {
        salt: fixedBytes(16),
        label: fc.string({ minLength: 1, maxLength: 20 }),
        registers: fc.array(registers, { minLength: 1, maxLength: 3 }),
      },
      { noNullPrototype: true },
    ),
    { maxLength: 3, selector: ({ label }) => label },
  );
  fc.assert(
    fc.property(anyClaims, groups, (open, disclosures) => {
      const clear = new Set((open.registers ?? []).map(({ obis }) => String(obis)));
      fc.pre(disclosures.every((group) => group.registers.every(({ obis }) => !clear.has(String(obis)))));
      const encoded = disclosures.map(encodeDisclosure);
      const signedClaims: Claims = encoded.length === 0 ? open : { ...open, digests: digestsOf(encoded) };
      const bytes = signRecord(signedClaims, encoded, signer, kid);
      const record = parseRecord(bytes);
      assert.deepEqual(record.claims, signedClaims);
      assert.deepEqual(record.disclosures, disclosures);
      assert.deepEqual(record.kid, kid);
      assert.equal(nodeVerify(signer.key, record.signedBytes, record.signature), true);
      const stripped = stripRecord(bytes);
      assert.deepEqual(stripOwnRecord(bytes), stripped);
      assert.deepEqual(record.stripped, stripped);
      assert.deepEqual(record.hash, sha256(stripped));
      const bare = parseRecord(stripped);
      assert.deepEqual([bare.claims, bare.disclosures, bare.signedBytes], [signedClaims, [], record.signedBytes]);
      assert.deepEqual(bare.hash, record.hash);
      assert.equal(nodeVerify(signer.key, bare.signedBytes, bare.signature), true);
      assert.deepEqual(stripRecord(stripped), stripped);
      assert.deepEqual(stripOwnRecord(stripped), stripped);
    }),
    { numRuns: 150 },
  );
});

test("is verified by an independent COSE library before and after the disclosures are dropped", async () => {
  const x = Buffer.from(signer.key.x).toString("base64url");
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  const record = signRecord({ ...claims, digests: digestsOf([hidden]) }, [hidden], signer, kid);
  for (const bytes of [record, stripRecord(record)]) {
    assert.equal(Sign1.decode(bytes).unprotectedHeaders.size, bytes === record ? 1 : 0);
    assert.equal(await verifiedByLibrary(bytes, key), true);
    const tampered = Uint8Array.from(bytes);
    tampered[Buffer.from(bytes).indexOf(independentCbor(claims.time_s)) + 4]! ^= 1;
    assert.equal(await verifiedByLibrary(tampered, key), false);
  }
});

/** The library knows Ed25519 by its older number alone (-8, EdDSA): told so, it builds and verifies the Sig_structure itself. */
async function verifiedByLibrary(bytes: Uint8Array, key: KeyObject): Promise<boolean> {
  const message = Sign1.decode(bytes);
  assert.equal(message.alg, ED25519);
  Object.defineProperty(message, "alg", { value: Algorithms.EdDSA });
  try {
    await message.verify(key);
    return true;
  } catch (thrown) {
    assert.ok(thrown instanceof errors.COSESignatureVerificationFailed, String(thrown));
    return false;
  }
}

test("refuses every single-bit change of a signed record", () => {
  const record = signRecord({ ...claims, digests: digestsOf([hidden]) }, [hidden], signer, kid);
  const { hash } = parseRecord(record);
  for (let bit = 0; bit < 8 * record.length; bit += 1) {
    const bytes = Uint8Array.from(record);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    let accepted = false;
    try {
      const parsed = parseRecord(bytes);
      accepted = Buffer.compare(parsed.kid, kid) === 0 && nodeVerify(signer.key, parsed.signedBytes, parsed.signature);
      assert.ok(!accepted || Buffer.compare(parsed.hash, hash) === 0);
    } catch (thrown) {
      assert.ok(thrown instanceof WireError, String(thrown));
    }
    assert.equal(accepted, false, `bit ${bit}`);
  }
});

test("refuses claims of a wrong shape, naming the claim", () => {
  refused(recordOf(changed([1, 2])), "unsupported", /version 2/);
  for (const key of [1, 2, 3, 4, 5, 6, 7])
    refused(recordOf(without(key)), "shape", new RegExp(`claim ${key} .*absent`));
  refused(recordOf(changed([2, 0])), "shape", /an integer from 1 to 65535, not 0/);
  refused(recordOf(changed([2, 65_536])), "shape", /claim 2/);
  refused(recordOf(changed([3, -1])), "shape", /claim 3/);
  refused(recordOf(changed([4, 2n ** 53n])), "shape", /claim 4/);
  refused(recordOf(changed([4, 1])), "shape", /claim 5/);
  refused(recordOf(changed([5, new Uint8Array(32)])), "shape", /claim 5/);
  refused(recordOf(changed([6, "now"])), "shape", /claim 6/);
  refused(recordOf(changed([7, 4])), "shape", /claim 7/);
  refused(recordOf(changed([8, -1])), "shape", /claim 8/);
  refused(recordOf(changed([9, []])), "shape", /claim 9/);
  refused(recordOf(changed([10, []])), "shape", /claim 10/);
  refused(recordOf(changed([10, [new Uint8Array(31)]])), "shape", /claim 10/);
  refused(recordOf(changed([12, new Uint8Array(20)])), "shape", /claim 12/);
  refused(recordOf(changed([16, 0])), "shape", /unknown key 16/);
});

test("refuses registers of a wrong shape", () => {
  const { obis } = energy;
  const cases: readonly (readonly [Item, RegExp])[] = [
    [[obis, 1, 0], /4 or 5 fields/],
    [[obis, 1, 0, 30, 1, 1], /4 or 5 fields/],
    [[obis.slice(1), 1, 0, 30], /obis/],
    [[obis, "1", 0, 30], /value/],
    [[obis, 1, 128, 30], /scaler/],
    [[obis, 1, -129, 30], /scaler/],
    [[obis, 1, 0, 256], /unit/],
    [[obis, 1, 0, 30, -1], /age/],
    [energy.value as Item, /register must be an array/],
  ];
  for (const [register, message] of cases) refused(recordOf(changed([9, [register]])), "shape", message);
  refused(recordOf(changed([9, Array.from({ length: 257 }, () => [obis, 1, 0, 30])])), "shape", /1 to 256 registers/);
});

test("refuses digests that are out of order or too many", () => {
  const digests = Array.from({ length: 17 }, (_, index) => new Uint8Array(32).fill(index));
  refused(recordOf(changed([10, [digests[1]!, digests[0]!]])), "shape", /ascending/);
  refused(recordOf(changed([10, [digests[1]!, digests[1]!]])), "shape", /ascending/);
  refused(recordOf(changed([10, digests])), "shape", /1 to 16 digests/);
});

test("refuses disclosures that the payload does not vouch for", () => {
  const open = (...disclosures: readonly Uint8Array[]) => new Map<number, Item>([[17, disclosures]]);
  const digest = sha256(hidden);
  refused(recordOf(changed(), open(hidden)), "unproven", /not in the payload/);
  refused(recordOf(changed([10, [digest]]), open(hidden, hidden)), "unproven", /not in the payload/);
  refused(recordOf(changed([10, [digest]]), open()), "shape", /1 to 16 disclosures/);
  refused(recordOf(changed([10, [digest]]), new Map([[18, 0]])), "shape", /unknown key 18/);
  refused(recordOf(changed([10, [digest]]), new Map([[17, hidden]])), "shape", /disclosures must be an array/);

  const again = encodeDisclosure({ salt: new Uint8Array(16).fill(8), label: "load", registers: [power] });
  refused(recordOf(changed([10, digestsOf([hidden, again])]), open(hidden, again)), "shape", /two disclosures/);

  const shadow = encodeDisclosure({ salt: new Uint8Array(16), label: "energy", registers: [energy] });
  const clear: Item = [energy.obis, 1, 0, 30];
  refused(recordOf(changed([9, [clear]], [10, [sha256(shadow)]]), open(shadow)), "shape", /shadows a clear register/);
});

test("refuses disclosures of a wrong shape", () => {
  const register: Item = [power.obis, 193, 0, 27];
  const salt = new Uint8Array(16);
  const cases: readonly (readonly [Item, RegExp])[] = [
    [[salt, "load"], /array of 3/],
    [[salt.slice(1), "load", [register]], /salt/],
    [[salt, "", [register]], /label/],
    [[salt, "x".repeat(65), [register]], /label/],
    [[salt, "load", []], /1 to 256 registers/],
  ];
  for (const [disclosure, message] of cases) {
    const bytes = independentCbor(disclosure);
    refused(recordOf(changed([10, [sha256(bytes)]]), new Map([[17, [bytes]]])), "shape", message);
  }
  const loose = Buffer.from("980080", "hex"); // a long form inside the byte string
  refused(recordOf(changed([10, [sha256(loose)]]), new Map([[17, [loose]]])), "encoding", /shortest form/);
});

test("refuses a record that is too large, has no key id or another algorithm", () => {
  const payload = independentCbor(changed());
  const signature = new Uint8Array(64);
  const record = (header: Uint8Array) => encodeSign1(header, new Map(), payload, signature);
  refused(record(protectedHeader(ED25519)), "shape", /kid/);
  refused(record(protectedHeader(ED25519, kid.slice(1))), "shape", /kid/);
  refused(record(protectedHeader(-7, kid)), "unsupported", /algorithm -7/);
  refused(record(protectedHeader(-8, kid)), "unsupported", /algorithm -8/);
  const large = Buffer.concat([
    Buffer.of(0xd2),
    independentCbor([protectedHeader(ED25519, kid), new Map(), new Uint8Array(RECORD_BYTES_MAX), signature]),
  ]);
  refused(large, "limit", /larger than/);
});

test("parses any bytes or throws a WireError", () => {
  const record = signRecord({ ...claims, digests: digestsOf([hidden]) }, [hidden], signer, kid);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(record.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }), (edits) => {
      const bytes = Uint8Array.from(record);
      for (const [index, byte] of edits) bytes[index] = byte;
      for (const read of [parseRecord, stripRecord, (input: Uint8Array) => parseSign1(input, 1_024)]) {
        try {
          read(bytes);
        } catch (thrown) {
          assert.ok(thrown instanceof WireError, String(thrown));
        }
      }
    }),
    { numRuns: 2_000 },
  );
});

// Enrolments, approvals and one-time codes: what is signed is read again, what is changed is refused, and a code is told from a mistyped one.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { type Role, roles } from "../../src/wire/credential.js";
import {
  ENROLMENT_BYTES_MAX,
  type Enrolment,
  readApproval,
  readEnrolment,
  signApproval,
  signEnrolment,
  verifyApproval,
  verifyEnrolment,
} from "../../src/wire/enrolment.js";
import {
  codeFromRandom,
  codeFromText,
  codeKey,
  codeProof,
  codeToText,
  isCodeProof,
} from "../../src/wire/enrolment-code.js";
import { WireError } from "../../src/wire/error.js";
import { keyId } from "../../src/wire/key.js";
import { nodeVerify, signerFromSeed } from "../../tools/crypto/signatures.js";
import { byteStrings, texts } from "./arbitraries.js";
import { independentCbor } from "./independent-cbor.js";

const [signer, other] = [signerFromSeed(new Uint8Array(32).fill(1)), signerFromSeed(new Uint8Array(32).fill(2))];
const genesisHash = new Uint8Array(32).fill(7);
const participants = roles.filter((role) => role !== "meter" && role !== "gateway");

const text = (max: number) => texts.filter((each) => each.length >= 1 && each.length <= max);
const codes = fc.uint8Array({ minLength: 23, maxLength: 23 }).map(codeFromRandom);
const enrolments: fc.Arbitrary<Omit<Enrolment, "key">> = fc.record(
  {
    services: fc
      .uniqueArray(fc.integer({ min: 1, max: 65_535 }), { maxLength: 4 })
      .map((all) => all.sort((a, b) => a - b)),
    roles: fc.subarray<Role>(participants, { minLength: 1 }),
    applicant: fc.record(
      { name: text(60), contact: text(80), eic: fc.constant("10X1001A1001A450"), gln: fc.constant("4012345000009") },
      { requiredKeys: ["name", "contact"], noNullPrototype: true },
    ),
    jurisdiction: fc.constantFrom("DE", "AT-9"),
    deliveryKey: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Uint8Array.from(bytes)),
    code: codes.map(({ name }) => name),
    proof: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Uint8Array.from(bytes)),
    nonce: byteStrings(32),
  },
  { requiredKeys: ["services", "roles", "applicant", "code", "proof", "nonce"], noNullPrototype: true },
);

test("an enrolment is read as it was signed, and verifies with its own key alone", () => {
  fc.assert(
    fc.property(enrolments, (enrolment) => {
      const bytes = signEnrolment(enrolment, genesisHash, signer);
      assert.ok(bytes.length <= ENROLMENT_BYTES_MAX);
      assert.deepEqual(verifyEnrolment(bytes, genesisHash, nodeVerify), { ...enrolment, key: signer.key });
      assert.throws(() => readEnrolment(bytes, new Uint8Array(32)), /for another network/);
    }),
    { numRuns: 60 },
  );
});

test("an enrolment with any bit changed is refused, and so is any other bytes", () => {
  const refuses = (bytes: Uint8Array) => {
    assert.throws(
      () => verifyEnrolment(bytes, genesisHash, nodeVerify),
      (error) => error instanceof WireError,
    );
  };
  fc.assert(
    fc.property(enrolments, fc.nat(), fc.integer({ min: 0, max: 7 }), (enrolment, place, bit) => {
      const bytes = signEnrolment(enrolment, genesisHash, signer);
      bytes[place % bytes.length]! ^= 1 << bit;
      refuses(bytes);
    }),
    { numRuns: 100 },
  );
  fc.assert(fc.property(byteStrings(200), refuses), { numRuns: 100 });
});

test("no device enrols, and nothing that is too long", () => {
  const enrolment = {
    ...{ services: [], roles: ["supplier"] as const, applicant: { name: "A", contact: "a@b" }, code: "ABCD" },
    ...{ proof: new Uint8Array(32), nonce: new Uint8Array(0) },
  };
  const signed = (more: Partial<Enrolment>) => () => signEnrolment({ ...enrolment, ...more }, genesisHash, signer);
  signed({})();
  assert.throws(signed({ roles: ["meter"] }), /of a device: those ask by requests/);
  assert.throws(signed({ roles: [] }), /roles are none/);
  assert.throws(signed({ nonce: new Uint8Array(33) }), /nonce has 33 bytes/);
  assert.throws(signed({ code: "ABCU" }), /names no code/);
  assert.throws(signed({ applicant: { name: "A".repeat(129), contact: "a" } }), /enrolment name/);
  assert.throws(signed({ applicant: { name: "A", contact: "" } }), /enrolment contact/);
  assert.throws(signed({ proof: new Uint8Array(31) }), /enrolment proof/);
});

test("an approval is read as it was signed, by who signed it, for its enrolment alone", () => {
  fc.assert(
    fc.property(fc.option(text(100), { nil: undefined }), byteStrings(60), (reason, noise) => {
      const approval = { enrolment: new Uint8Array(32).fill(5), ...(reason !== undefined && { reason }) };
      const bytes = signApproval(approval, genesisHash, signer);
      assert.deepEqual(readApproval(bytes, genesisHash), { ...approval, kid: keyId(signer.key) });
      assert.deepEqual(verifyApproval(bytes, { genesisHash, key: signer.key }, nodeVerify), approval);
      assert.throws(() => verifyApproval(bytes, { genesisHash, key: other.key }, nodeVerify), /not signed by the key/);
      assert.throws(() => readApproval(bytes, new Uint8Array(32)), /for another network/);
      assert.throws(() => readApproval(noise, genesisHash), WireError);
    }),
    { numRuns: 50 },
  );
});

test("a typed code is read with small letters, blanks and look-alikes, and a wrong character is found nearly always", () => {
  let missed = 0;
  let tried = 0;
  fc.assert(
    fc.property(codes, fc.nat(), fc.nat(), (code, place, step) => {
      const typed = codeToText(code);
      assert.match(typed, /^([0-9A-HJKMNP-TV-Z]{4}-){5}[0-9A-HJKMNP-TV-Z]{4}$/);
      assert.deepEqual(codeFromText(typed), code);
      const loose = typed.toLowerCase().replaceAll("0", "o").replaceAll("1", "l").replaceAll("-", " ");
      assert.deepEqual(codeFromText(loose), code);
      const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
      const characters = [...typed.replaceAll("-", "")];
      const at = place % characters.length;
      const before = alphabet.indexOf(characters[at]!);
      characters[at] = alphabet[(before + 1 + (step % 31)) % 32]!;
      tried += 1;
      if (codeFromText(characters.join("")) !== undefined) missed += 1;
      assert.equal(codeFromText(typed.slice(1)), undefined);
    }),
    { numRuns: 1_000, seed: 17 },
  );
  assert.ok(missed < tried / 16, `${missed} of ${tried} wrong characters were not found`);
  assert.equal(codeFromText("U".repeat(24)), undefined);
  assert.equal(codeFromText(""), undefined);
});

test("a proof is HMAC-SHA-256 by node:crypto too, and good for its code, key and network alone", () => {
  fc.assert(
    fc.property(codes, codes, (code, another) => {
      fc.pre(code.secret !== another.secret);
      const key = codeKey(code);
      const proof = codeProof(key, genesisHash, signer.key);
      const coseKey = new Map<number, number | Buffer>([
        [1, 1],
        [-1, 6],
        [-2, Buffer.from(signer.key.x)],
      ]);
      const hmac = createHmac("sha256", key).update(
        independentCbor(["gs1/enrolment-proof", Buffer.from(genesisHash), coseKey]),
      );
      assert.deepEqual(Buffer.from(proof), hmac.digest());
      const proved = { genesisHash, key: signer.key };
      assert.ok(isCodeProof(proof, key, proved));
      assert.ok(!isCodeProof(proof, codeKey(another), proved));
      assert.ok(!isCodeProof(proof, key, { genesisHash, key: other.key }));
      assert.ok(!isCodeProof(proof, key, { genesisHash: new Uint8Array(32), key: signer.key }));
    }),
    { numRuns: 50 },
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeSign1, protectedHeader, sign1Bytes } from "../../src/wire/cose.js";
import { WireError } from "../../src/wire/error.js";
import { ED25519, keyId } from "../../src/wire/key.js";
import {
  decodeHidden,
  encodeHidden,
  HIDDEN_BYTES_MAX,
  type Hidden,
  hasOperation,
  isOperation,
  OPERATION_BYTES_MAX,
  type OperationClaims,
  parseAnyRecord,
  parseOperation,
  signOperation,
} from "../../src/wire/operation.js";
import { digestsOf, encodeDisclosure, parseRecord, RECORD_BYTES_MAX, signRecord } from "../../src/wire/record.js";
import { decodeValue, encodeValue } from "../../src/wire/value.js";
import { nodeVerify } from "../../tools/crypto/signatures.js";
import { contractValues, fixedBytes, operationClaims, claims as readingClaims } from "./arbitraries.js";
import { type Item, independentCbor } from "./independent-cbor.js";
import { sha256, signerNamed } from "./network.js";
import { readRecordForm } from "./stranger-record.js";

const signer = signerNamed("participant");
const kid = keyId(signer.key);
const salt = new Uint8Array(16).fill(7);

/** Claims as a map, to put into it what no encoder of ours would. */
const base: readonly (readonly [number, Item])[] = [
  [1, 1],
  [2, 1],
  [3, 0],
  [4, 0],
  [5, new Uint8Array(0)],
  [6, 1_790_000_000],
  [7, 2],
  [16, [40_000, independentCbor("a body")]],
];
const changed = (...entries: readonly (readonly [number, Item])[]) => new Map([...base, ...entries]);
const without = (key: number) => new Map(base.filter(([other]) => other !== key));

function operationOf(claims: ReadonlyMap<number, Item>, unprotected: ReadonlyMap<number, Item> = new Map()) {
  const header = protectedHeader(ED25519, kid);
  const payload = Uint8Array.from(independentCbor(claims));
  return encodeSign1(
    header,
    unprotected as ReadonlyMap<number, never>,
    payload,
    signer.sign(sign1Bytes(header, payload)),
  );
}

function refused(bytes: Uint8Array, code: string, message: RegExp): void {
  assert.throws(
    () => parseAnyRecord(bytes),
    (thrown) => thrown instanceof WireError && thrown.code === code && message.test(thrown.message),
    `${message}`,
  );
  // What is sealed has no disclosures: those are for the original node alone.
  if (!/disclos|label|salt/.test(String(message))) assert.throws(() => readRecordForm(bytes), `stranger: ${message}`);
}

const asked = (...items: readonly Item[]) => operationOf(changed([16, items]));
const body = (item: Item) => asked(40_000, independentCbor(item));

test("reads what was signed, before and after the disclosures are dropped, and so does a stranger", () => {
  const parts: fc.Arbitrary<Hidden[]> = fc.uniqueArray(
    fc.record({ salt: fixedBytes(16), label: fc.string({ minLength: 1, maxLength: 20 }), value: contractValues }),
    { maxLength: 3, selector: ({ label }) => label },
  );
  fc.assert(
    fc.property(operationClaims, parts, (open, hidden) => {
      const encoded = hidden.map(encodeHidden);
      const claims: OperationClaims = encoded.length === 0 ? open : { ...open, digests: digestsOf(encoded) };
      const bytes = signOperation(claims, encoded, signer, kid);
      const operation = parseAnyRecord(bytes);
      assert.ok(isOperation(operation));
      assert.deepEqual(operation.claims, claims);
      assert.deepEqual(operation.disclosures.map(encodeHidden), encoded);
      assert.deepEqual(encoded.map(decodeHidden).map(encodeHidden), encoded);
      assert.equal(nodeVerify(signer.key, operation.signedBytes, operation.signature), true);
      const bare = parseOperation(operation.stripped);
      assert.deepEqual([bare.claims, bare.disclosures, bare.signedBytes], [claims, [], operation.signedBytes]);
      assert.deepEqual([bare.hash, bare.stripped], [operation.hash, operation.stripped]);
      assert.deepEqual(operation.hash, sha256(operation.stripped));
      assert.equal(readRecordForm(operation.stripped).isOperation, true);
    }),
    { numRuns: 300 },
  );
});

test("tells readings from operations, with disclosures and without, whatever their bytes", () => {
  const hidden = encodeDisclosure({
    salt,
    label: "load",
    registers: [{ obis: new Uint8Array(6), value: 1, scaler: 0, unit: 27 }],
  });
  fc.assert(
    fc.property(readingClaims, fc.boolean(), (claims, isHiding) => {
      const bytes = isHiding
        ? signRecord({ ...claims, registers: [], digests: digestsOf([hidden]) }, [hidden], signer, kid)
        : signRecord(claims, [], signer, kid);
      assert.equal(hasOperation(bytes), false);
    }),
  );
  const bytes = operationOf(changed());
  assert.equal(hasOperation(bytes), true);
  assert.throws(() => parseRecord(bytes), /unknown key 16/, "a meter's reader takes none");
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }), (edits) => {
      const other = Uint8Array.from(bytes);
      for (const [index, byte] of edits) other[index] = byte;
      for (const read of [parseAnyRecord, parseOperation]) {
        try {
          read(other);
        } catch (thrown) {
          assert.ok(thrown instanceof WireError, String(thrown));
        }
      }
    }),
    { numRuns: 2_000 },
  );
});

test("looks for claim 16 in any bytes without harm, however deep and long they say they are", () => {
  const deep = Uint8Array.from({ length: 65_536 }, (_, index) => (index < 2 ? [0xd2, 0x84][index]! : 0x81));
  const wide = Uint8Array.from(Buffer.concat([Buffer.from("d284bbffffffffffffffff", "hex"), Buffer.alloc(65_000)]));
  for (const bytes of [deep, wide, new Uint8Array(0), Uint8Array.of(0xd2, 0x84)]) {
    assert.equal(hasOperation(bytes), false);
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void hasOperation(bytes)));
});

test("refuses every single-bit change of a signed operation", () => {
  const bytes = operationOf(changed());
  for (let bit = 0; bit < 8 * bytes.length; bit += 1) {
    const other = Uint8Array.from(bytes);
    other[bit >> 3]! ^= 1 << (bit & 7);
    let accepted = false;
    try {
      const parsed = parseAnyRecord(other);
      accepted = Buffer.compare(parsed.kid, kid) === 0 && nodeVerify(signer.key, parsed.signedBytes, parsed.signature);
    } catch (thrown) {
      assert.ok(thrown instanceof WireError, String(thrown));
    }
    assert.equal(accepted, false, `bit ${bit}`);
  }
});

test("refuses claims of a wrong shape, naming the claim, and every claim that a reading alone has", () => {
  refused(operationOf(changed([1, 2])), "unsupported", /version 2/);
  for (const key of [1, 2, 3, 4, 5, 6, 7])
    refused(operationOf(without(key)), "shape", new RegExp(`claim ${key} .*absent`));
  refused(operationOf(changed([4, 1])), "shape", /claim 5/);
  refused(operationOf(changed([7, 4])), "shape", /claim 7/);
  refused(operationOf(changed([9, [[new Uint8Array(6), 1, 0, 30]]])), "shape", /unknown key/);
  for (const claim of [8, 11, 13, 14, 15]) refused(operationOf(changed([claim, 1])), "shape", /unknown key/);
  refused(operationOf(changed([12, new Uint8Array(32)])), "shape", /unknown key/);
  refused(operationOf(changed([17, 0])), "shape", /unknown key 17/);
});

test("refuses what asks nothing: another shape, type, body or time", () => {
  const good = independentCbor(null);
  refused(operationOf(changed([16, 0])), "shape", /claim 16/);
  refused(asked(), "shape", /2 or 3 items/);
  refused(asked(1), "shape", /2 or 3 items/);
  refused(asked(1, good, 1, 1), "shape", /2 or 3 items/);
  refused(asked(0, good), "shape", /type/);
  refused(asked(65_536, good), "shape", /type/);
  refused(asked(-1, good), "shape", /type/);
  refused(asked(1, null), "shape", /body/);
  refused(asked(1, new Uint8Array(0)), "encoding", /CBOR/);
  refused(asked(1, Buffer.concat([good, good])), "encoding", /follow/);
  refused(asked(1, good, -1), "shape", /until/);
  refused(asked(1, good, 2 ** 42), "shape", /until/);
  assert.ok(isOperation(parseAnyRecord(asked(65_535, good, 2 ** 42 - 1))));
});

test("refuses a body that is no value: byte strings, keys that are no text, six levels", () => {
  const levels = (count: number): Item => (count === 0 ? 1 : [levels(count - 1)]);
  const maps = (count: number): Item => (count === 0 ? null : new Map([["a", maps(count - 1)]]));
  assert.ok(isOperation(parseAnyRecord(body(levels(5)))));
  assert.ok(isOperation(parseAnyRecord(body(maps(5)))));
  refused(body(levels(6)), "limit", /5 levels/);
  refused(body(maps(6)), "limit", /5 levels/);
  refused(body(new Uint8Array(2)), "shape", /no byte strings/);
  refused(body([["x", new Uint8Array(0)]]), "shape", /no byte strings/);
  refused(body(new Map([[1, "x"]])), "shape", /keys .* text/);
  refused(asked(1, Buffer.from("f93c00", "hex")), "encoding", /float/);
});

test("refuses digests and disclosures that do not belong together", () => {
  const part = { salt, label: "price", value: 31 };
  const hidden = Uint8Array.from(encodeHidden(part));
  const open = (...disclosures: readonly Uint8Array[]) => new Map<number, Item>([[17, disclosures]]);
  const digests = Array.from({ length: 17 }, (_, index) => new Uint8Array(32).fill(index));
  refused(operationOf(changed([10, []])), "shape", /1 to 16 digests/);
  assert.throws(() => parseAnyRecord(operationOf(changed([10, [digests[1]!, digests[0]!]]))), /ascending/);
  assert.throws(() => parseAnyRecord(operationOf(changed([10, digests]))), /1 to 16 digests/);
  refused(operationOf(changed(), open(hidden)), "unproven", /disclosure's digest is not in the payload/);
  refused(operationOf(changed([10, [sha256(hidden)]]), open(hidden, hidden)), "unproven", /disclosure's digest/);
  refused(operationOf(changed([10, [sha256(hidden)]]), open()), "shape", /1 to 16 disclosures/);
  const again = encodeHidden({ ...part, value: 32 });
  refused(operationOf(changed([10, digestsOf([hidden, again])]), open(hidden, again)), "shape", /two disclosures/);
  for (const [item, code, message] of [
    [[salt, "price"], "shape", /disclosure must be an array of 3/],
    [[salt.slice(1), "price", 1], "shape", /salt/],
    [[salt, "", 1], "shape", /label/],
    [[salt, "price", new Uint8Array(1)], "shape", /disclosure|byte strings/],
    [[salt, "price", "x".repeat(HIDDEN_BYTES_MAX)], "limit", /disclosure|larger than/],
  ] as const) {
    const bytes = Uint8Array.from(independentCbor(item));
    refused(operationOf(changed([10, [sha256(bytes)]]), open(bytes)), code, message);
  }
});

test("takes an operation of 65,536 bytes and none that is larger; a reading stays as small as it was", () => {
  const claims: OperationClaims = {
    ...{ service: 1, serviceId: 0, seq: 0, previous: new Uint8Array(0), time_s: 1, quality: 2 },
    ...{ type: 1, body: "" },
  };
  const rest = signOperation({ ...claims, body: "x".repeat(65_000) }, [], signer, kid).length - 65_000;
  const largest = "x".repeat(OPERATION_BYTES_MAX - rest);
  const bytes = signOperation({ ...claims, body: largest }, [], signer, kid);
  assert.equal(bytes.length, OPERATION_BYTES_MAX);
  assert.deepEqual(parseAnyRecord(bytes).hash, sha256(bytes));
  assert.equal(readRecordForm(bytes).isOperation, true);
  assert.throws(() => signOperation({ ...claims, body: `${largest}x` }, [], signer, kid), /larger than 65536/);
  const reading = signRecord(
    {
      ...{ service: 1, serviceId: 0, seq: 0, previous: new Uint8Array(0), time_s: 1, quality: 2 },
      registers: Array.from({ length: 256 }, () => ({
        ...{ obis: new Uint8Array(6), value: 2n ** 62n, scaler: -128, unit: 255, age: Number.MAX_SAFE_INTEGER },
      })),
    },
    [],
    signer,
    kid,
  );
  assert.ok(reading.length < RECORD_BYTES_MAX);
});

test("signs nothing that it would not read", () => {
  const claims: OperationClaims = {
    ...{ service: 1, serviceId: 0, seq: 0, previous: new Uint8Array(0), time_s: 1, quality: 2 },
    ...{ type: 1, body: null },
  };
  for (const wrong of [
    { type: 0 },
    { type: 65_536 },
    { until_s: -1 },
    { service: 0 },
    { body: 0.5 },
    { digests: [] },
  ]) {
    assert.throws(() => signOperation({ ...claims, ...wrong }, [], signer, kid), WireError);
  }
});

test("reads every value that was encoded", () => {
  fc.assert(fc.property(contractValues, (value) => assert.deepEqual(decodeValue(encodeValue(value)), value)));
});

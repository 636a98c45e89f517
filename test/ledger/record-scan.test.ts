// Reading a record without building it: what is read of it is what the whole parser reads, and nothing passes that the parser refuses.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toHex } from "../../src/wire/bytes.js";
import { WireError } from "../../src/wire/error.js";
import { ED25519, ESP256, keyId, type Signer } from "../../src/wire/key.js";
import { leafHash } from "../../src/wire/merkle.js";
import {
  type AnyRecord,
  encodeHidden,
  parseAnyRecord,
  parseOperation,
  signOperation,
} from "../../src/wire/operation.js";
import { type Claims, digestsOf, encodeDisclosure, parseRecord, signRecord } from "../../src/wire/record.js";
import { createVerifyingMessage, verificationsIn } from "../../tools/crypto/verifying-message.js";
import {
  askedBy,
  executionRecord,
  kidOf,
  type ReadRecord,
  readRecord,
  readSignedRecords,
} from "../../tools/ledger/record-scan.js";
import { claims as anyClaims, operationClaims as anyOperation } from "../wire/arbitraries.js";
import { signerNamed } from "../wire/network.js";

const meter = signerNamed("scanned meter");
const kid = keyId(meter.key);
const elliptic: Signer = {
  key: { algorithm: ESP256, x: new Uint8Array(32).fill(1), y: new Uint8Array(32).fill(2) },
  sign: () => new Uint8Array(64).fill(3),
};

const other = signRecord(
  { service: 1, serviceId: 1, seq: 0, previous: new Uint8Array(0), time_s: 1, quality: 2 },
  [],
  elliptic,
  kid,
);

/** What either way of reading makes of the bytes; a WireError's code where it refuses them. */
function outcome(read: () => unknown): unknown {
  try {
    return read();
  } catch (thrown) {
    assert.ok(thrown instanceof WireError, String(thrown));
    return thrown.code;
  }
}

function parsed(bytes: Uint8Array, parse: (bytes: Uint8Array) => AnyRecord): unknown {
  const { algorithm, claims, disclosures, hash, kid: meterId, signature, signedBytes } = parse(bytes);
  if (disclosures.length > 0) throw new WireError("unproven", "disclosures");
  const { service, seq, previous } = claims;
  return plain({ bytes, hash, kid: meterId, seq, previous, algorithm, service, signedBytes, signature });
}

function scanned(bytes: Uint8Array): unknown {
  const { record, algorithm, service } = readSignedRecords([other, bytes])[1]!;
  const { hash, leaf, seq, previousAt } = record;
  assert.deepEqual(leaf, leafHash(hash));
  assert.equal(record.meter, toHex(kidOf(record)));
  const previous = bytes.subarray(previousAt, previousAt + (seq === 0 ? 0 : 32));
  const message = createVerifyingMessage();
  assert.ok(message.add({ key: elliptic.key, record: bytes }));
  const [verification] = verificationsIn(message.bytes());
  const { message: signedBytes, signature } = verification!;
  return plain({
    bytes: record.bytes,
    hash,
    kid: kidOf(record),
    seq,
    previous,
    algorithm,
    service,
    signedBytes,
    signature,
  });
}

/** What admission takes of a record, disclosures apart. */
function taken({ kid: meterId, algorithm, claims, stripped, hash, signature }: ReadRecord): unknown {
  const { service, seq, previous, time_s } = claims;
  return plain({ kid: meterId, algorithm, service, seq, previous, time_s, stripped, hash, signature });
}

function plain(fields: { readonly [name: string]: Uint8Array | number }): unknown {
  return Object.entries(fields).map(([name, value]) => [
    name,
    typeof value === "number" ? value : Buffer.from(value).toString("hex"),
  ]);
}

function same(bytes: Uint8Array, parse: (bytes: Uint8Array) => AnyRecord = parseAnyRecord): void {
  assert.deepEqual(
    outcome(() => scanned(bytes)),
    outcome(() => parsed(bytes, parse)),
  );
  assert.deepEqual(
    outcome(() => taken(readRecord(bytes))),
    outcome(() => taken(parse(bytes))),
  );
}

test("reads of any record what the whole parser reads", () => {
  fc.assert(
    fc.property(anyClaims, fc.boolean(), (claims, isElliptic) => {
      const signer = isElliptic ? elliptic : meter;
      const bytes = signRecord(claims, [], signer, kid);
      assert.equal(parseRecord(bytes).algorithm, isElliptic ? ESP256 : ED25519);
      same(bytes);
    }),
  );
});

test("reads changed, cut and lengthened records as the whole parser does, or refuses them as it does", () => {
  const change = fc.record({ at: fc.nat(), to: fc.integer({ min: 0, max: 255 }), length: fc.nat({ max: 3 }) });
  fc.assert(
    fc.property(anyClaims, fc.array(change, { minLength: 1, maxLength: 3 }), (claims, changes) => {
      const bytes = [...signRecord(claims, [], elliptic, kid)];
      // Half of the changes overwrite a byte; the others put one in or take some out.
      for (const { at, to, length } of changes) {
        if (length === 0) bytes.splice(at % bytes.length, 1, to);
        else if (length === 1) bytes[at % bytes.length] = to & 0x1f;
        else if (length === 2) bytes.splice(at % bytes.length, 0, to);
        else bytes.splice(at % bytes.length, 1 + (to & 3));
      }
      same(Uint8Array.from(bytes));
    }),
    { numRuns: 2_000 },
  );
});

test("reads a record with all claims as the whole parser does, whichever byte of it is another", () => {
  const claims: Claims = {
    service: 300,
    serviceId: 70_000,
    seq: 2 ** 33,
    previous: new Uint8Array(32).fill(5),
    time_s: 1_700_000_000,
    quality: 3,
    status: 1,
    registers: [
      { obis: new Uint8Array(6), value: -(2 ** 40), scaler: -128, unit: 255 },
      { obis: new Uint8Array(6), value: 2 ** 40, scaler: 127, unit: 30, age: 900 },
    ],
    digests: [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)],
    source: 255,
    frameHash: new Uint8Array(32).fill(6),
    reason: 4,
    events: 2 ** 40,
    errors: 0,
  };
  const bytes = signRecord(claims, [], elliptic, kid);
  same(bytes);
  const telling = [
    0, 1, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x38, 0x3b, 0x40, 0x46, 0x58, 0x7f, 0x84, 0x85, 0xa0, 0xf6, 0xff,
  ];
  for (const [at, byte] of bytes.subarray(0, -64).entries()) {
    for (const value of [...telling, byte ^ 1, byte ^ 0x20, (byte + 1) & 0xff]) same(bytes.with(at, value));
  }
});

test("reads of any operation what the whole parser reads, and what it asks", () => {
  fc.assert(
    fc.property(anyOperation, fc.boolean(), (claims, isElliptic) => {
      const bytes = signOperation(claims, [], isElliptic ? elliptic : meter, kid);
      same(bytes, parseOperation);
      const [signed] = readSignedRecords([bytes]);
      const { type, body, seq, time_s, until_s } = claims;
      const asked = { type, participant: toHex(kid), seq, time_s, body, ...(until_s !== undefined && { until_s }) };
      assert.deepEqual(askedBy(signed!.record), asked);
      assert.equal(readRecord(bytes).claims.type, type);
    }),
  );
  assert.equal(askedBy(readSignedRecords([other])[0]!.record), undefined, "a reading asks nothing");
});

test("reads changed, cut and lengthened operations as the whole parser does, or refuses them as it does", () => {
  const edit = fc.tuple(fc.nat(), fc.nat({ max: 255 }), fc.nat({ max: 2 }));
  fc.assert(
    fc.property(anyOperation, fc.array(edit, { minLength: 1, maxLength: 3 }), (claims, edits) => {
      const bytes = [...signOperation(claims, [], elliptic, kid)];
      for (const [at, byte, removed] of edits) bytes.splice(at % bytes.length, removed, byte);
      same(Uint8Array.from(bytes), parseAnyRecord);
    }),
    { numRuns: 1_000 },
  );
});

test("takes apart an operation's disclosures, and refuses them where it is sealed", () => {
  const hidden = encodeHidden({ salt: new Uint8Array(16), label: "price", value: 31 });
  const claims = { service: 1, serviceId: 0, seq: 1, previous: new Uint8Array(32).fill(7), time_s: 1, quality: 2 };
  const bytes = signOperation({ ...claims, type: 1, body: ["x"], digests: digestsOf([hidden]) }, [hidden], meter, kid);
  assert.throws(() => readSignedRecords([bytes]), { code: "unproven", message: /confidential/ });
  const record = executionRecord(readRecord(bytes));
  assert.deepEqual(record.bytes.subarray(record.previousAt, record.previousAt + 32), claims.previous);
  assert.deepEqual(askedBy(record)?.body, ["x"]);
});

test("refuses a record that holds confidential registers where it is sealed", () => {
  const hidden = encodeDisclosure({
    salt: new Uint8Array(16),
    label: "load",
    registers: [{ obis: new Uint8Array(6), value: 1, scaler: 0, unit: 27 }],
  });
  const claims: Claims = {
    service: 1,
    serviceId: 1,
    seq: 1,
    previous: new Uint8Array(32).fill(7),
    time_s: 1,
    quality: 2,
    digests: digestsOf([hidden]),
  };
  const bytes = signRecord(claims, [hidden], meter, kid);
  assert.throws(() => readSignedRecords([bytes]), { code: "unproven", message: /confidential/ });
  const whole = readRecord(bytes);
  assert.deepEqual(whole, parseRecord(bytes), "an original node takes them");
  const { bytes: stripped, previousAt } = executionRecord(whole);
  assert.deepEqual(stripped.subarray(previousAt, previousAt + 32), claims.previous);
});

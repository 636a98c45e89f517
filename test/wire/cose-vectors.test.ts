// The examples of the COSE working group: those that Gridseal's profile of COSE_Sign1 refuses by rule are refused for that rule,
// of the others the Sig_structure is the published one and node:crypto verifies it.

import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { type CborValue, decodeCbor } from "../../src/wire/cbor.js";
import { encodeSign1, parseSign1, sign1Bytes, verifySign1 } from "../../src/wire/cose.js";
import { WireError } from "../../src/wire/error.js";
import { ED25519 } from "../../src/wire/key.js";
import { nodeVerify } from "../../tools/crypto/signatures.js";
import { shared } from "../shared.js";

interface ExampleKey {
  readonly kty: string;
  readonly crv: string;
  readonly x?: string;
  readonly y?: string;
  readonly x_hex?: string;
  readonly y_hex?: string;
}

interface Example {
  readonly title: string;
  readonly fail?: boolean;
  readonly input: { readonly sign0: { readonly key: ExampleKey; readonly external?: string } };
  readonly intermediates: { readonly ToBeSign_hex: string };
  readonly output: { readonly cbor: string };
}

/** Refused before any signature is looked at, and why. */
const refusedByRule: Readonly<Record<string, RegExp>> = {
  "sign1-tests/sign-pass-01": /must name an algorithm/, // RFC 9052 allows an empty protected header; the profile does not
  "sign1-tests/sign-pass-03": /must begin with tag 18/, // untagged
  "sign1-tests/sign-fail-01": /must begin with tag 18/,
  "sign1-tests/sign-fail-04": /must name an algorithm/, // alg "unknown"
  "sign1-tests/sign-fail-06": /header 3 is not understood/,
  "eddsa-examples/eddsa-sig-01": /header 3 is not understood/,
  "eddsa-examples/eddsa-sig-02": /signature must be a byte string of 64 bytes/, // Ed448
};

/** Parsed; whether the signature verifies with the key and the algorithm that the example gives. */
const parsed: Readonly<Record<string, boolean>> = {
  "sign1-tests/sign-pass-02": true,
  "sign1-tests/sign-fail-02": false,
  "sign1-tests/sign-fail-03": false,
  "sign1-tests/sign-fail-07": false,
  "CWT/A_3": true,
};

const vectors = shared("vectors/cose-wg-examples");

function example(name: string): Example {
  return JSON.parse(readFileSync(join(vectors.path, `${name}.json`), "utf8")) as Example;
}

/** ECDSA with P-256, as all the examples that the profile parses are signed. */
function verifyExample(key: ExampleKey, signed: Uint8Array, signature: Uint8Array): boolean {
  const coordinate = (text?: string, hex?: string) => text ?? Buffer.from(hex!, "hex").toString("base64url");
  const jwk = { kty: key.kty, crv: key.crv, x: coordinate(key.x, key.x_hex), y: coordinate(key.y, key.y_hex) };
  const object = createPublicKey({ key: jwk, format: "jwk" });
  return verify("sha256", signed, { key: object, dsaEncoding: "ieee-p1363" }, signature);
}

for (const [name, reason] of Object.entries(refusedByRule)) {
  test(`refuses the COSE example ${name} by rule`, { skip: vectors.skip }, () => {
    const bytes = Buffer.from(example(name).output.cbor, "hex");
    assert.throws(
      () => parseSign1(bytes, 1_024),
      (thrown) => thrown instanceof WireError && reason.test(thrown.message),
    );
  });
}

for (const [name, valid] of Object.entries(parsed)) {
  test(`${valid ? "verifies" : "does not verify"} the COSE example ${name}`, { skip: vectors.skip }, () => {
    const { input, intermediates, output } = example(name);
    const message = parseSign1(Buffer.from(output.cbor, "hex"), 1_024);
    const signed = sign1Bytes(message.protected, message.payload, Buffer.from(input.sign0.external ?? "", "hex"));
    // The published structure of a failing example is the one before it was tampered with.
    assert.equal(Buffer.from(signed).toString("hex").toUpperCase() === intermediates.ToBeSign_hex, valid);
    // -7 (ES256) and -999 are known to the example alone: its own verifier is asked, and only for -7.
    assert.equal(message.algorithm === -7 && verifyExample(input.sign0.key, signed, message.signature), valid);
    // Gridseal itself accepts neither: the algorithm must be the one that belongs to the key.
    const key = { algorithm: ED25519, x: new Uint8Array(32) } as const;
    assert.equal(verifySign1(message, key, nodeVerify), false);
  });
}

test("verifies the EdDSA example's signature over its published structure", { skip: vectors.skip }, () => {
  // The profile refuses its extra header; the signature below it is still Ed25519 as nodeVerify has it.
  const { input, intermediates, output } = example("eddsa-examples/eddsa-sig-01");
  const bytes = Buffer.from(output.cbor, "hex");
  const key = { algorithm: ED25519, x: Buffer.from(input.sign0.key.x_hex!, "hex") } as const;
  assert.equal(nodeVerify(key, Buffer.from(intermediates.ToBeSign_hex, "hex"), bytes.subarray(-64)), true);
});

test("refuses an algorithm outside the protected header", () => {
  // 18([<<{1: -19}>>, {1: -19}, 'payload', 64 zeros])
  const bytes = Buffer.from(`d28443a10132a10132477061796c6f61645840${"00".repeat(64)}`, "hex");
  assert.throws(() => parseSign1(bytes, 256), /outside the protected header/);
});

test("refuses every CWT example that is no COSE_Sign1", { skip: vectors.skip }, () => {
  for (const name of ["CWT/A_4", "CWT/A_5", "CWT/A_6", "CWT/A_7"]) {
    const bytes = Buffer.from(example(name).output.cbor, "hex");
    assert.throws(
      () => parseSign1(bytes, 1_024),
      (thrown) => thrown instanceof WireError && /must begin with tag 18/.test(thrown.message),
      name,
    );
  }
});

test("reads the header that records have as the decoder does, and any that is like it", () => {
  const usual = Uint8Array.of(0xa2, 1, 0x32, 4, 0x48, 1, 2, 3, 4, 5, 6, 7, 8);
  const read = (header: Uint8Array) =>
    attempt(() => parseSign1(encodeSign1(header, new Map(), new Uint8Array(1), new Uint8Array(64)), 256));
  const decoded = (header: Uint8Array) => attempt(() => decodeCbor(header) as ReadonlyMap<number, CborValue>);
  fc.assert(
    fc.property(fc.nat(12), fc.nat(255), fc.integer({ min: -1, max: 1 }), (position, byte, longer) => {
      const header = new Uint8Array(usual.length + longer);
      header.set(usual.subarray(0, header.length));
      if (position < header.length) header[position] = byte;
      const message = read(header);
      const map = decoded(header);
      if (message === undefined) return;
      assert.equal(message.algorithm, map?.get(1));
      assert.deepEqual(message.kid, map?.get(4));
    }),
    { numRuns: 2_000 },
  );
  for (const [byte, algorithm] of [[0x32, -19] as const, [0x28, -9] as const]) {
    const header = usual.with(2, byte);
    assert.equal(read(header)?.algorithm, algorithm);
    assert.deepEqual(read(header)?.kid, usual.subarray(5));
  }
});

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

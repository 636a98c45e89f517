// Ed25519 by libsodium as a chip's build has it (hosts/libsodium/ed25519.h): compiled here with this machine's libsodium, and held to
// the signatures of node:crypto and to the verdicts of the meter's verifier in JavaScript.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { verifyEd25519 } from "../../../src/agent/ed25519.js";
import { toHex } from "../../../src/wire/bytes.js";
import { ED25519 } from "../../../src/wire/key.js";
import { isSmallOrder } from "../../../src/wire/small-order.js";
import { signerFromSeed } from "../../../tools/crypto/signatures.js";
import { shared } from "../../shared.js";

const hosts = fileURLToPath(new URL("../../../hosts/libsodium", import.meta.url));
const source = fileURLToPath(new URL("vectors.c", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "gridseal-libsodium-"));
const program = join(folder, "vectors");
const built = spawnSync("cc", ["-O2", "-Wall", "-Wextra", "-Werror", "-I", hosts, source, "-lsodium", "-o", program]);
/** Where the library is not there, neither is its header. */
const missing = built.error !== undefined || `${built.stderr}`.includes("sodium.h: No such file");
const skip = missing ? "there is no libsodium to compile with" : false;
after(() => rmSync(folder, { recursive: true, force: true }));

interface Case {
  readonly key: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));
const field = (bytes: Uint8Array) => (bytes.length === 0 ? "-" : toHex(bytes));

function answers(lines: readonly string[]): string[] {
  return execFileSync(program, { input: `${lines.join("\n")}\n`, maxBuffer: 1 << 26 })
    .toString()
    .trim()
    .split("\n");
}

/** What hosts/libsodium/ed25519.ts says: its own checks, then the library. */
function verdicts(cases: readonly Case[]): boolean[] {
  const said = answers(
    cases.map(({ key, message, signature }) => `verify ${field(key)} ${field(message)} ${field(signature)}`),
  );
  return cases.map(({ key, signature }, index) => {
    const isWhole = key.length === 32 && signature.length === 64;
    return isWhole && !isSmallOrder(key) && !isSmallOrder(signature) && said[index] === "1";
  });
}

function agrees(cases: readonly Case[]): void {
  const accepted = verdicts(cases);
  assert.equal(accepted.length, cases.length);
  cases.forEach(({ key, message, signature }, index) => {
    const expected = verifyEd25519({ algorithm: ED25519, x: key }, message, signature);
    assert.equal(accepted[index], expected, `case ${index}`);
  });
  assert.ok(accepted.includes(true) && accepted.includes(false));
}

const wycheproof = shared("vectors/wycheproof/testvectors_v1/ed25519_test.json");
const consensus = shared("vectors/cctv-ed25519/ed25519vectors.json");

describe("Ed25519 by libsodium", { skip }, () => {
  test("is compiled without a warning", () => assert.equal(built.status, 0, `${built.stderr}`));

  test("makes the keys and signatures of node:crypto, byte for byte", () => {
    const cases = Array.from({ length: 200 }, (_, index) => ({
      seed: randomBytes(32),
      message: randomBytes(index * 3),
    }));
    const said = answers(cases.map(({ seed, message }) => `sign ${field(seed)} ${field(message)}`));
    cases.forEach(({ seed, message }, index) => {
      const signer = signerFromSeed(seed);
      assert.equal(said[index], toHex(signer.key.x) + toHex(signer.sign(message)));
    });
  });

  test("has the meter's verdict on wycheproof's vectors", { skip: wycheproof.skip }, () => {
    const { testGroups } = JSON.parse(readFileSync(wycheproof.path, "utf8")) as {
      testGroups: { publicKey: { pk: string }; tests: { msg: string; sig: string }[] }[];
    };
    const cases = testGroups.flatMap(({ publicKey, tests }) =>
      tests.map(({ msg, sig }) => ({ key: bytesOf(publicKey.pk), message: bytesOf(msg), signature: bytesOf(sig) })),
    );
    assert.equal(cases.length, 151);
    agrees(cases);
  });

  test("has the meter's verdict on the vectors built for consensus", { skip: consensus.skip }, () => {
    const vectors = JSON.parse(readFileSync(consensus.path, "utf8")) as { key: string; sig: string; msg: string }[];
    assert.equal(vectors.length, 914);
    agrees(
      vectors.map(({ key, sig, msg }) => ({
        key: bytesOf(key),
        message: new TextEncoder().encode(msg),
        signature: bytesOf(sig),
      })),
    );
  });

  test("refuses what is altered anywhere", () => {
    const signer = signerFromSeed(randomBytes(32));
    const message = randomBytes(40);
    const signature = signer.sign(message);
    const altered = Array.from({ length: 512 }, (_, bit) =>
      signature.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte)),
    );
    const cases = [signature, ...altered].map((each) => ({ key: signer.key.x, message, signature: each }));
    assert.deepEqual(
      verdicts(cases),
      cases.map((_, index) => index === 0),
    );
  });
});

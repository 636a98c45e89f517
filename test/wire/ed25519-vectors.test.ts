// Ed25519 is not one predicate: what the cluster's verifier accepts of the public vectors, and that every verifier agrees once the
// authority's check of keys has been passed.

import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ed25519 } from "@noble/curves/ed25519.js";
import { verifyEd25519 } from "../../src/agent/ed25519.js";
import { ED25519, type PublicKey } from "../../src/wire/key.js";
import { isSafeKey } from "../../tools/crypto/safe-key.js";
import { nodeVerify } from "../../tools/crypto/signatures.js";
import { verifyAsync } from "../../tools/crypto/verifying.js";
import { shared } from "../shared.js";
import { verifies } from "./stranger-proof.js";

interface WycheproofGroup {
  readonly publicKey: { readonly pk: string };
  readonly tests: readonly {
    readonly tcId: number;
    readonly msg: string;
    readonly sig: string;
    readonly result: string;
  }[];
}

interface ConsensusVector {
  readonly number: number;
  readonly key: string;
  readonly sig: string;
  readonly msg: string;
}

const wycheproof = shared("vectors/wycheproof/testvectors_v1/ed25519_test.json");
const consensus = shared("vectors/cctv-ed25519/ed25519vectors.json");
const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));

test("agrees with all of wycheproof's Ed25519 vectors", { skip: wycheproof.skip }, async () => {
  const { testGroups } = JSON.parse(readFileSync(wycheproof.path, "utf8")) as { testGroups: WycheproofGroup[] };
  let count = 0;
  for (const group of testGroups) {
    const key: PublicKey = { algorithm: ED25519, x: bytesOf(group.publicKey.pk) };
    for (const item of group.tests) {
      count += 1;
      const [message, signature] = [bytesOf(item.msg), bytesOf(item.sig)];
      assert.equal(nodeVerify(key, message, signature), item.result === "valid", `tcId ${item.tcId}`);
      assert.equal(await verifyAsync(key, message, signature), item.result === "valid", `tcId ${item.tcId}`);
      assert.equal(verifyEd25519(key, message, signature), item.result === "valid", `on the meter, tcId ${item.tcId}`);
    }
  }
  assert.equal(count, 151);
});

test("accepts 43 of the 914 vectors built for consensus, whichever Node runs it, and of safe keys what every verifier accepts", {
  skip: consensus.skip,
}, () => {
  const vectors = JSON.parse(readFileSync(consensus.path, "utf8")) as ConsensusVector[];
  assert.equal(vectors.length, 914);
  let accepted = 0;
  let acceptedOfSafeKeys = 0;
  for (const vector of vectors) {
    const key: PublicKey = { algorithm: ED25519, x: bytesOf(vector.key) };
    const message = new TextEncoder().encode(vector.msg);
    const signature = bytesOf(vector.sig);
    if (!nodeVerify(key, message, signature)) continue;
    accepted += 1;
    if (!isSafeKey(key)) continue;
    acceptedOfSafeKeys += 1;
    assert.equal(ed25519.verify(signature, message, key.x), true, `noble refuses ${vector.number}`);
    assert.equal(ed25519.verify(signature, message, key.x, { zip215: false }), true, `strict refuses ${vector.number}`);
  }
  assert.equal(accepted, 43);
  assert.ok(acceptedOfSafeKeys > 0);
});

test("a meter accepts of these vectors what the cluster does, but for keys that are not canonical", {
  skip: consensus.skip,
}, () => {
  const vectors = JSON.parse(readFileSync(consensus.path, "utf8")) as ConsensusVector[];
  const { Point } = ed25519;
  let accepted = 0;
  for (const { number, key, msg, sig } of vectors) {
    const x = bytesOf(key);
    const [message, signature] = [new TextEncoder().encode(msg), bytesOf(sig)];
    const verdict = verifyEd25519({ algorithm: ED25519, x }, message, signature);
    if (verdict) accepted += 1;
    const isCanonical = Buffer.from(Point.fromBytes(x, true).toBytes()).equals(x);
    const expected = isCanonical && nodeVerify({ algorithm: ED25519, x }, message, signature);
    assert.equal(verdict, expected, `${number}`);
  }
  assert.ok(accepted > 0);
});

test("a stranger's verifier accepts the same of these vectors", { skip: consensus.skip }, () => {
  const vectors = JSON.parse(readFileSync(consensus.path, "utf8")) as ConsensusVector[];
  for (const { number, key, msg, sig } of vectors) {
    const x = bytesOf(key);
    const jwk = { kty: "OKP", crv: "Ed25519", x: Buffer.from(x).toString("base64url") };
    const object = createPublicKey({ key: jwk, format: "jwk" });
    const [message, signature] = [new TextEncoder().encode(msg), bytesOf(sig)];
    const accepted = nodeVerify({ algorithm: ED25519, x }, message, signature);
    assert.equal(verifies({ algorithm: -19, object, id: "" }, message, signature), accepted, `${number}`);
  }
});

// Proofs of what contracts remember: the product and the stranger take the same ones, and neither takes one with a changed byte.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type CborValue, decodeCbor, encodeCbor } from "../../src/wire/cbor.js";
import { WireError } from "../../src/wire/error.js";
import { verifyGenesis } from "../../src/wire/genesis.js";
import { nodeVerify } from "../../tools/crypto/signatures.js";
import {
  decodeStateProof,
  decodeStateProofFile,
  encodeStateProof,
  verifyStateProof,
} from "../../tools/ledger/state-proof.js";
import { fixtures } from "../wire/fixtures.js";
import { verifyStateProof as strangerVerify } from "../wire/stranger-state-proof.js";

const bytesOf = (file: string, name: string) => Buffer.from(fixtures[file]![name]!.bytes, "hex");
const genesisBytes = bytesOf("genesis", "genesis");
const genesis = verifyGenesis(genesisBytes, nodeVerify);
const names = ["proof", "absence", "vacancy"] as const;

function productVerify(bytes: Uint8Array): void {
  const { proof, lineage } = decodeStateProofFile(bytes);
  verifyStateProof(proof, genesis, nodeVerify, lineage);
}

for (const [name, key, value] of [
  ["proof", "limits/1", "1903e8"],
  ["absence", "limits/9", undefined],
  ["vacancy", "limits/23", undefined],
] as const) {
  test(`takes the fixed ${name}, as the stranger does, and encodes it as it stands`, () => {
    const bytes = bytesOf("state", name);
    productVerify(bytes);
    assert.deepEqual(encodeStateProof(decodeStateProof(bytes)), new Uint8Array(bytes));
    const proved = strangerVerify(genesisBytes, bytes);
    assert.deepEqual(
      [proved.chain, proved.height, proved.key, proved.value, proved.stateRoot],
      [1, 2, key, value, fixtures.state!.root!.bytes],
    );
  });
}

test("neither takes a proof with any byte changed, but where it is the absence of another key in the same place", () => {
  for (const name of names) {
    const bytes = bytesOf("state", name);
    for (let place = 0; place < bytes.length; place += 1) {
      const changed = Uint8Array.from(bytes);
      changed[place]! ^= 1 << (place & 7);
      const proved = refusedOr(() => strangerVerify(genesisBytes, changed));
      const isTaken = refusedOr(() => productVerify(changed) ?? true) === true;
      assert.equal(isTaken, proved !== undefined, `${name}: byte ${place}`);
      if (proved === undefined) continue;
      const { key } = decodeStateProof(bytes);
      assert.ok(name !== "proof" && proved.value === undefined && proved.key !== key, `${name}: byte ${place}`);
    }
  }
});

/** Undefined where it throws. */
function refusedOr<T>(verify: () => T): T | undefined {
  try {
    return verify();
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

/** A good proof with one item in the place of another. */
function withItem(name: (typeof names)[number], place: number, item: CborValue): Uint8Array {
  const items = [...(decodeCbor(bytesOf("state", name), { size: 65_536, items: 1_024 }) as readonly CborValue[])];
  items[place] = item;
  return encodeCbor(items);
}

const itemOf = (name: (typeof names)[number], place: number) =>
  (decodeCbor(bytesOf("state", name), { size: 65_536, items: 1_024 }) as readonly CborValue[])[place]!;

for (const [what, file] of [
  ["says that a key is absent which is there", () => withItem("proof", 5, null)],
  ["says that a key is there which is absent", () => withItem("absence", 5, itemOf("proof", 5))],
  ["says a value of another key", () => withItem("proof", 4, "limits/2")],
  ["says an absence without the leaf in the key's place", () => withItem("absence", 7, null)],
  ["is of another chain", () => withItem("proof", 2, 2)],
  ["is of another height", () => withItem("proof", 3, 3)],
  ["is of another network", () => withItem("proof", 1, "beta")],
  ["has the header of another block", () => withItem("proof", 11, itemOfReceipt(8))],
  ["has the certificate of another block", () => withItem("proof", 12, itemOfReceipt(9))],
  [
    "has a path that is too long",
    () =>
      withItem(
        "proof",
        6,
        Array.from({ length: 257 }, () => new Uint8Array(32)),
      ),
  ],
  ["has a value that is too long", () => withItem("proof", 5, new Uint8Array(16_385))],
] as const) {
  test(`the product and the stranger refuse a proof that ${what}`, () => {
    const bytes = file();
    assert.throws(() => productVerify(bytes), WireError);
    assert.throws(() => strangerVerify(genesisBytes, bytes), Error);
  });
}

function itemOfReceipt(place: number): CborValue {
  return (decodeCbor(bytesOf("receipt", "receipt")) as readonly CborValue[])[place]!;
}

// The public inclusion proofs of RFC 6962 and RFC 9162 trees, good and bad.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { shared } from "../shared.js";
import { provesInclusion } from "./inclusion.js";

interface InclusionCase {
  readonly leafIdx: number;
  readonly treeSize: number;
  readonly root: string | null;
  readonly leafHash: string | null;
  readonly proof: readonly string[] | null;
  readonly wantErr: boolean;
}

const vectors = shared("vectors/transparency-dev-merkle/testdata");

function cases<Case>(folder: string): (readonly [string, Case])[] {
  return readdirSync(join(vectors.path, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".json"))
    .map((name) => [name, JSON.parse(readFileSync(join(vectors.path, folder, name), "utf8")) as Case] as const);
}

const bytesOf = (text: string | null) => Buffer.from(text ?? "", "base64");

test("verifies exactly the public inclusion proofs that are right", { skip: vectors.skip }, () => {
  const found = cases<InclusionCase>("inclusion");
  assert.ok(found.length > 80);
  for (const [name, item] of found) {
    const path = (item.proof ?? []).map(bytesOf);
    const proof = { leaf: bytesOf(item.leafHash), index: item.leafIdx, size: item.treeSize, path };
    assert.equal(provesInclusion(proof, bytesOf(item.root)), !item.wantErr, name);
  }
});

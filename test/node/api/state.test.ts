// What a node answers of its contracts' state: entries page by page, proofs, and what it refuses.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeValue } from "../../../src/wire/value.js";
import { nodeVerify } from "../../../tools/crypto/signatures.js";
import { EMPTY_STATE } from "../../../tools/ledger/state-map.js";
import { decodeStateProof, verifyStateProof } from "../../../tools/ledger/state-proof.js";
import { contractState } from "../../../tools/node/chain/tables/contract-state.js";
import { stateKey } from "../../../tools/node/store/keys.js";
import { openApiSource } from "../../../tools/sources/api.js";
import { SERVICE } from "../chain/cluster.js";
import { createNodeApi, jsonOf } from "./api.js";

test("answers entries by prefix, from behind a key on, and says whether there are more", async (t) => {
  const { cluster, base } = await createNodeApi(t);
  const { store } = cluster.nodes[0]!;
  const keys = ["asked/a", "asked/b", "asked/ü/x", "done/a"];
  await store.write((writer) => {
    for (const [index, key] of keys.entries()) {
      writer.put(contractState, stateKey(SERVICE, `limits/${key}`), encodeValue({ count: index }));
    }
    writer.put(contractState, stateKey(SERVICE, "limits2/asked/a"), encodeValue(9_007_199_254_740_993n));
  });
  const first = await jsonOf(await fetch(`${base}/chains/1/state/limits?prefix=asked/&limit=2`));
  assert.deepEqual(first.entries, [
    { key: "asked/a", value: { count: 0 } },
    { key: "asked/b", value: { count: 1 } },
  ]);
  assert.deepEqual([first.hasMore, first.height], [true, 5]);
  const next = await jsonOf(await fetch(`${base}/chains/1/state/limits?prefix=asked/&after=asked/b`));
  assert.deepEqual([next.entries, next.hasMore], [[{ key: "asked/ü/x", value: { count: 2 } }], false]);
  const source = openApiSource(base);
  const listed: string[] = [];
  for await (const { key } of source.stateEntries({ service: SERVICE, contract: "limits", prefix: "" }))
    listed.push(key);
  assert.deepEqual(listed, keys);
  const large = await jsonOf(await fetch(`${base}/chains/1/state/limits2`));
  assert.deepEqual(large.entries, [{ key: "asked/a", value: { integer: "9007199254740993" } }]);
});

test("answers the proof of a key, that nothing stands there too, and refuses what is none", async (t) => {
  const { cluster, base } = await createNodeApi(t);
  const source = openApiSource(base);
  const bytes = (await source.stateProof(SERVICE, "limits", "a key/with ü"))!;
  const proof = decodeStateProof(bytes);
  verifyStateProof(proof, cluster.genesis, nodeVerify);
  assert.deepEqual([proof.height, proof.key, proof.value], [5, "limits/a key/with ü", undefined]);
  assert.equal(await source.stateProof(5, "limits", "a"), undefined, "a chain without a block");
  const empty = await jsonOf(await fetch(`${base}/chains/5/state/limits`));
  assert.deepEqual([empty.height, empty.entries, empty.stateRoot], [0, [], Buffer.from(EMPTY_STATE).toString("hex")]);
  for (const path of [
    "/chains/1/state/limits/proof",
    "/chains/1/state/limits/proof?key=",
    `/chains/1/state/limits/proof?key=${"k".repeat(257)}`,
    "/chains/1/state/Limits",
    "/chains/1/state/limits?limit=501",
    "/chains/1/state/limits?limit=0",
  ]) {
    const answer = await fetch(base + path);
    assert.deepEqual([answer.status, (await jsonOf(answer)).code], [400, "malformed"], path);
  }
});

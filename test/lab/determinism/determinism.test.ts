// A chain of generated contracts comes to the same wherever it is made. The digest is the same on every release of Node; whoever
// changes a format, the engine or the generator finds the new one by `npm run determinism -- --seed 3 --blocks 40`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { findChromium, makeChainInChromium } from "../../../tools/lab/determinism/chromium.js";
import { makeChainHere, makeChainInThread, makeChainWithRestarts } from "../../../tools/lab/determinism/places.js";

const size = { seed: 3, blocks: 40 };
const DIGEST = "2eabe8ffef8ebb64383c311b6813f4b3fb3e9614ff26e19908cb316602f4d230";

test("40 blocks of generated contracts come to the same in this thread, in another, and over a restart at each block", async () => {
  const here = await makeChainHere(size);
  assert.equal(here.digest, DIGEST);
  for (const kind of ["done", "denied", "failed", "expired", "unhandled"]) {
    assert.ok((here.outcomes[kind] ?? 0) > 0, `no operation is ${kind}`);
  }
  assert.deepEqual(await makeChainInThread(size), here);
  assert.deepEqual(await makeChainWithRestarts(size), here);
});

const chromium = findChromium();

test("40 blocks of generated contracts come to the same in headless Chromium", {
  skip: chromium === undefined ? "no Chromium is here" : false,
  timeout: 240_000,
}, async () => {
  assert.equal((await makeChainInChromium(chromium!, size)).digest, DIGEST);
});

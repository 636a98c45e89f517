// Two chains of generated contracts come to the same wherever it is made. The digest is the same on every release of Node; whoever
// changes a format, the engine or the generator finds the new one by `npm run determinism -- --seed 5 --blocks 60`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { findChromium, makeChainInChromium } from "../../../tools/lab/determinism/chromium.js";
import { makeChainHere, makeChainInThread, makeChainWithRestarts } from "../../../tools/lab/determinism/places.js";

const size = { seed: 5, blocks: 60 };
const DIGEST = "ad88b4ee291933296eb9d5c056ee0d759701070754ff7d578781b0d97f2f9a65";

test("60 blocks of generated contracts come to the same in this thread, in another, and over a restart at each block", async () => {
  const here = await makeChainHere(size);
  assert.equal(here.digest, DIGEST);
  for (const name of ["done", "denied", "failed", "expired", "unhandled", "operation", "message", "slot", "due"]) {
    assert.ok((here.outcomes[name] ?? 0) > 0, `nothing is ${name}`);
  }
  assert.ok(here.slots > 0, "no slot is closed");
  assert.deepEqual(await makeChainInThread(size), here);
  assert.deepEqual(await makeChainWithRestarts(size), here);
});

const chromium = findChromium();

test("60 blocks of generated contracts come to the same in headless Chromium", {
  skip: chromium === undefined ? "no Chromium is here" : false,
  timeout: 240_000,
}, async () => {
  assert.equal((await makeChainInChromium(chromium!, size)).digest, DIGEST);
});

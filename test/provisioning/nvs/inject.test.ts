// Keys made at the bench: what is in the image is what was certified, a run that is killed anywhere loses no key and makes no second
// one, and nothing of it stays here.

import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { toHex } from "../../../src/wire/bytes.js";
import { parseCredential } from "../../../src/wire/credential.js";
import { keyId } from "../../../src/wire/key.js";
import { verifyRequest } from "../../../src/wire/request.js";
import { nodeVerify, signerFromSeed } from "../../../tools/crypto/signatures.js";
import { GridsealError } from "../../../tools/errors.js";
import { createSealer } from "../../../tools/firmware/sealer.js";
import type { Certifier } from "../../../tools/provisioning/console/certifier.js";
import type { Plan } from "../../../tools/provisioning/console/step.js";
import { type Injection, injectMeter } from "../../../tools/provisioning/nvs/inject.js";
import { readNvs } from "./stranger-nvs.js";

const sealer = createSealer("inject");
const plan: Plan = {
  ...{ genesisHash: sealer.genesis.hash, brokers: ["mqtt://b"], services: [1, 2], lot: "L1", verify: nodeVerify },
  wifi: { ssid: "site", password: "long enough" },
  configurationOf: (meter, place) => JSON.stringify({ meter, place }),
  ...{ until: "stored", isDry: false, takesOver: false, firstRecord_ms: 0 },
};

async function bench(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "gridseal-inject-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const issued = new Map<string, Uint8Array>();
  const certifier: Certifier = {
    async certify({ request }) {
      const { id, key, origin } = verifyRequest(request, sealer.genesis.hash, nodeVerify);
      assert.deepEqual([id, origin], ["m-1", { key: "injected", lot: "L1" }]);
      const kid = toHex(keyId(key));
      if (!issued.has(kid)) issued.set(kid, sealer.credential(key, [1, 2]));
      return { kind: "certified", credential: issued.get(kid)! };
    },
  };
  const images: Uint8Array[] = [];
  const injection: Injection = {
    ...{ folder, name: "020000000001", listed: { id: "m-1", place: 4 }, plan, certifier, bytes: 0x6000 },
    async deliver(image) {
      images.push(Uint8Array.from(image));
    },
  };
  return { folder, injection, issued, images };
}

test("the image has the key that was certified, and all that a board reads", async (t) => {
  const { folder, injection, issued, images } = await bench(t);
  const outcome = await injectMeter(injection);
  const values = readNvs(images[0]!);
  const seed = values.get("gridseal/seed") as Uint8Array;
  const kid = toHex(keyId(signerFromSeed(seed).key));
  assert.deepEqual(outcome, { type: "stored", id: "m-1", mac: "020000000001", meter: kid });
  assert.deepEqual(values.get("gridseal/credential"), issued.get(kid));
  assert.equal(toHex(keyId(parseCredential(issued.get(kid)!).key)), kid);
  const text = (name: string) => new TextDecoder().decode(values.get(name) as Uint8Array);
  assert.equal(text("settings/configuration"), plan.configurationOf(kid, 4));
  assert.deepEqual([text("settings/ssid"), text("settings/password")], ["site", "long enough"]);
  assert.deepEqual(await readdir(folder), ["020000000001.injected"]);
  for (const name of await readdir(folder))
    assert.ok(!(await readFile(join(folder, name))).includes(Buffer.from(toHex(seed))));
  // Again: the chip is left as it is.
  assert.deepEqual(await injectMeter(injection), outcome);
  assert.equal(images.length, 1);
});

test("a run that ends anywhere is made good by the next one, with the same key", async (t) => {
  const { folder, injection, issued, images } = await bench(t);
  const dies = () => Promise.reject(new GridsealError("FLASH_FAILED", "the cable was pulled"));
  await assert.rejects(injectMeter({ ...injection, certifier: { certify: dies } }));
  await assert.rejects(injectMeter({ ...injection, deliver: dies }));
  assert.deepEqual(await readdir(folder), ["020000000001.seed"]);
  // It was written, and the run ended before it was noted.
  await assert.rejects(injectMeter({ ...injection, deliver: (image) => injection.deliver(image).then(dies) }));
  await injectMeter(injection);
  assert.equal(issued.size, 1);
  assert.equal(images.length, 2);
  assert.deepEqual(images[0], images[1]);
  assert.deepEqual(await readdir(folder), ["020000000001.injected"]);
});

test("what the authority refuses or answers later makes no image, and keeps the key for the next run", async (t) => {
  const { folder, injection, images } = await bench(t);
  const certify = (input: Awaited<ReturnType<Certifier["certify"]>>) =>
    injectMeter({ ...injection, certifier: { certify: async () => input } });
  const refused = await certify({ kind: "refused", code: "REQUESTS_REFUSED", reason: "no" });
  const waits = await certify({ kind: "waits", text: "a.request" });
  assert.deepEqual([refused.type, waits.type, images.length], ["failed", "waiting", 0]);
  assert.deepEqual(await readdir(folder), ["020000000001.seed"]);
});

// The field engineer's console of a meter that runs in a real XS engine: an empty folder comes to life by it.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { toHex } from "../../src/wire/bytes.js";
import { sha256 } from "../../src/wire/hash.js";
import { holdingNonce } from "../../src/wire/holding.js";
import { verifyRequest } from "../../src/wire/request.js";
import { nodeVerify } from "../../tools/crypto/signatures.js";
import { createSealer } from "../../tools/firmware/sealer.js";
import { startMeter } from "../../tools/meters/meter.js";

const PATIENCE_MS = 30_000;
/** Every two seconds. */
const LOOKS_A_LINE = 100;

/** A meter in an empty folder, and its console. */
async function startConsole(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), "gridseal-console-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  let shown = "";
  const meter = await startMeter({
    name: "new",
    directory,
    openPort: () => ({ close() {} }),
    onConsole(bytes) {
      shown += new TextDecoder().decode(bytes);
    },
  });
  t.after(() => meter.kill());
  const type = (text: string) => meter.type(new TextEncoder().encode(text));
  /** Types a line, again while the engine may be starting; what is shown from then on until `wanted` is in it, the match. */
  const ask = async (line: string, wanted: RegExp): Promise<RegExpMatchArray> => {
    shown = "";
    type(`${line}\r`);
    const deadline_ms = performance.now() + PATIENCE_MS;
    for (let look = 1; ; look += 1) {
      if (look % LOOKS_A_LINE === 0) type(`${line}\r`);
      const found = wanted.exec(shown);
      if (found !== null) return found;
      if (performance.now() > deadline_ms) throw new Error(`${line}: no answer but ${JSON.stringify(shown)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const holds = async () => JSON.parse((await ask("holds", /^holds (\{.*\})\r$/m))[1]!) as Record<string, unknown>;
  /** Sends bytes, until all that is wanted is shown. */
  const send = async (bytes: Uint8Array, wanted: readonly string[]): Promise<void> => {
    shown = "";
    meter.type(bytes);
    const deadline_ms = performance.now() + PATIENCE_MS;
    while (!wanted.every((text) => shown.includes(text))) {
      if (performance.now() > deadline_ms) throw new Error(`no answer but ${JSON.stringify(shown)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  return { directory, meter, ask, holds, send };
}

test("an empty folder is a meter without anything, whose console sets it up", async (t) => {
  const { directory, meter, ask, holds, send } = await startConsole(t);
  const empty = await holds();
  assert.equal(empty.state, "configuration refused");
  assert.match(String(empty.mac), /^02[0-9a-f]{10}$/);
  assert.deepEqual([empty.configuration, empty.genesis, empty.credential, empty.ca], Array(4).fill(undefined));

  const sealer = createSealer("field");
  const document = JSON.stringify({
    ...{ version: 1, network: "field", genesis: toHex(sealer.genesisBytes), brokers: ["mqtt://127.0.0.1:1"] },
    meter: { protocol: "p1", port: { kind: "serial" } },
    schedule: [3, 1].map((service) => ({ service, serviceId: 7, every_s: 9, aligned: true, registers: ["1-0:1.8.n"] })),
  });
  await ask(`configuration ${document}`, /^stored/m);
  const certificate = `30820004${"ab".repeat(4)}`;
  await ask(`ca ${certificate}`, /^stored/m);
  await ask("wifi home 'secret one'", /^wifi takes/m);
  await ask('wifi "my home" "secret one"', /^stored/m);
  assert.equal(await readFile(join(directory, "configuration.json"), "utf8"), document);
  assert.match((await ask("restart", /^restarts/m))[0], /restarts/);
  let set = await holds();
  while (set.state === "configuration refused") set = await holds();
  assert.equal(set.configuration, toHex(sha256(new TextEncoder().encode(document))));
  assert.deepEqual([set.services, set.brokers, set.ssid], [[1, 3], ["mqtt://127.0.0.1:1"], "my home"]);
  assert.equal(set.state, "no credential");
  assert.equal(meter.counters.starts, 2);
  assert.equal(meter.counters.faults, 0);

  const challenge = new Uint8Array(16).fill(9);
  const [, hex] = await ask(`request meter-9 ${toHex(challenge)} L1`, /^request ([0-9a-f]+)\r$/m);
  const genesis = sha256(sealer.genesisBytes);
  const request = verifyRequest(Buffer.from(hex!, "hex"), genesis, nodeVerify);
  assert.deepEqual([request.id, request.services, request.origin], ["meter-9", [1, 3], { key: "device", lot: "L1" }]);
  assert.equal(toHex(request.key.x), set.key);
  const ca = sha256(Buffer.from(certificate, "hex"));
  const holding = { genesis, brokers: ["mqtt://127.0.0.1:1"], services: [1, 3], ca };
  assert.deepEqual(request.nonce, holdingNonce(challenge, holding));

  await ask(`credential ${toHex(sealer.credential(request.key, [1, 3]))}`, /^credential of .* stored/m);
  assert.equal((await holds()).credential, toHex(sha256(sealer.credential(request.key, [1, 3]))));

  // Improv Wi-Fi, between the lines: SSID "shed", password "planks and nails", as the specification's example has them.
  const told = Buffer.from("IMPROV\x01\x03\x18\x01\x16\x04shed\x10planks and nails", "latin1");
  const sum = told.reduce((total, byte) => total + byte, 0) % 256;
  const answers = ["\nIMPROV\x01\x01\x01\x04", "\nIMPROV\x01\x04\x02\x01\x00"];
  await send(Buffer.concat([told, Buffer.of(sum, 10)]), answers);
  assert.equal((await holds()).ssid, "shed");
});

// The agent in the SDK's simulator: telegrams in on a pseudo-terminal, signed records out at mosquitto.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { toHex } from "../../src/wire/bytes.js";
import { parseRecord, type Record } from "../../src/wire/record.js";
import { signerFromSeed } from "../../tools/crypto/signatures.js";
import { startMosquitto, withoutMosquitto } from "../node/ingest/mosquitto.js";
import { configure, provisionMeters, serveHousehold, startMeter, until, withoutSdk } from "./harness.js";
import { assertChain, listenTo } from "./records.js";

const skip = withoutSdk || withoutMosquitto;

test("signs and publishes what a meter says, in sequence, through a broker that is killed and comes back", {
  skip,
}, async (t) => {
  const broker = await startMosquitto();
  t.after(() => broker.stop());
  const [folder] = await provisionMeters(t, 1);
  const pty = await serveHousehold(t, 1, 50);
  await configure(folder!, {
    brokers: [broker.url],
    meter: { protocol: "p1", port: { kind: "serial", path: pty.path, baud: 115_200, parity: "none" } },
    schedule: [{ service: 1, serviceId: 7, every_s: 1, aligned: false, registers: ["1-0:1.8.n", "1-0:2.8.n"] }],
  });
  const seen = await listenTo(t, broker.url);
  const meter = await startMeter(t, folder!);
  await until("three records", () => seen.records.length >= 3);
  await broker.kill();
  await until("the loss is noticed", () => meter.state !== "healthy");
  await broker.restart();
  const before = seen.records.length;
  await until("records after the broker came back", () => seen.records.length >= before + 5);
  const use = await meter.use();
  t.diagnostic(`use ${JSON.stringify(use)}, ${JSON.stringify(meter.counters)}`);
  assert.deepEqual(meter.errors, []);
  const seed = await readFile(join(folder!, "keyvalue/seed"));
  assertChain(seen.records, seed);
});

test("signs 1,000 records byte for byte as node:crypto does", { skip }, async (t) => {
  const broker = await startMosquitto();
  t.after(() => broker.stop());
  const [folder] = await provisionMeters(t, 1);
  const pty = await serveHousehold(t, 2, 200);
  const confidential = [{ label: "phases", registers: ["1-0:31.7.0", "1-0:51.7.0", "1-0:71.7.0"] }];
  await configure(folder!, {
    brokers: [broker.url],
    meter: { protocol: "p1", port: { kind: "serial", path: pty.path, baud: 115_200, parity: "none" } },
    schedule: [1, 2, 3, 4, 5].map((service) => ({
      service,
      serviceId: 7,
      every_s: 1,
      aligned: true,
      registers: ["1-0:1.8.n", "1-0:2.8.n"],
      ...(service === 3 && { confidential }),
    })),
  });
  const seen = await listenTo(t, broker.url);
  const meter = await startMeter(t, folder!);
  const seed = await until("its key", () => readFile(join(folder!, "keyvalue/seed")).catch(() => undefined));
  // Nobody seals them: what has been published once is what the window lets through, so the rest is read from flash.
  await until("1,000 records", () => (meter.counters.appended ?? 0) >= 1_000, 300_000);
  const use = await meter.use();
  await meter.kill();
  const signer = signerFromSeed(new Uint8Array(seed));
  const records = [...seen.records, ...recordsIn(await readFile(join(folder!, "outbox.flash")))];
  const signatures = new Set<string>();
  for (const record of records) {
    assert.equal(toHex(record.signature), toHex(signer.sign(record.signedBytes)));
    signatures.add(toHex(record.signature));
  }
  assert(signatures.size >= 1_000, `${signatures.size} signatures`);
  t.diagnostic(
    `${signatures.size} signatures of ${records.length} records read back, by the key of seed ${toHex(new Uint8Array(seed))}`,
  );
  t.diagnostic(`use ${JSON.stringify(use)}`);
  assert.deepEqual(meter.errors, []);
});

/** COSE_Sign1 records wherever they begin in an outbox's image: tag 18, an array of four, a protected header of 13 bytes. */
function recordsIn(image: Uint8Array): Record[] {
  const found: Record[] = [];
  for (let at = 0; at + 4 < image.length; at += 1) {
    if (image[at] !== 0xd2 || image[at + 1] !== 0x84) continue;
    for (let length = 150; length < 1200 && at + length <= image.length; length += 1) {
      // A record ends with its signature of 64 bytes.
      if (image[at + length - 66] !== 0x58 || image[at + length - 65] !== 0x40) continue;
      try {
        found.push(parseRecord(image.slice(at, at + length)));
        break;
      } catch {
        // Bytes that only look like the end of one.
      }
    }
  }
  return found;
}

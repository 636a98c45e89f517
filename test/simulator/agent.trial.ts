// The agent in the SDK's simulator: telegrams in on a pseudo-terminal, signed records out at mosquitto.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import mqtt from "mqtt";
import { toHex } from "../../src/wire/bytes.js";
import { parseRecord, type Record } from "../../src/wire/record.js";
import { poolBytes } from "../../tools/firmware/simulator.js";
import { nodeVerify, signerFromSeed } from "../../tools/node/crypto.js";
import { startMosquitto, withoutMosquitto } from "../node/ingest/mosquitto.js";
import { configure, provisionMeters, serveHousehold, startMeter, until, withoutSdk } from "./harness.js";

const skip = withoutSdk || withoutMosquitto;

test("signs and publishes what a meter says, in sequence, through a broker that is killed and comes back", { skip }, async (t) => {
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
  t.diagnostic(`use ${JSON.stringify(use)}, 32-bit pool ${poolBytes(use)} bytes, ${JSON.stringify(meter.counters)}`);
  assert.deepEqual(meter.errors, []);
  const seed = await readFile(join(folder!, "keyvalue/seed"));
  assertChain(seen.records, seed);
});

/** Every signature is good by node:crypto, and the records are one chain without a gap. */
function assertChain(records: readonly Record[], seed: Uint8Array): void {
  const { key } = signerFromSeed(new Uint8Array(seed));
  const chain = new Map<number, Record>();
  for (const record of records) {
    assert(nodeVerify(key, record.signedBytes, record.signature), `signature of ${record.claims.seq}`);
    const known = chain.get(record.claims.seq);
    if (known !== undefined) assert.equal(toHex(record.hash), toHex(known.hash), "a seq that is used twice");
    chain.set(record.claims.seq, record);
  }
  for (let seq = 0; seq < chain.size; seq += 1) {
    const record = chain.get(seq);
    assert(record !== undefined, `seq ${seq} is missing`);
    assert.equal(toHex(record.claims.previous), seq === 0 ? "" : toHex(chain.get(seq - 1)!.hash));
  }
}

/** Every record that comes by at a broker, repeats included. */
async function listenTo(t: TestContext, url: string): Promise<{ readonly records: readonly Record[] }> {
  const records: Record[] = [];
  const client = await mqtt.connectAsync(url, { reconnectPeriod: 100, protocolVersion: 4 });
  t.after(() => client.endAsync(true));
  client.on("message", (_topic, payload) => void records.push(parseRecord(new Uint8Array(payload))));
  await client.subscribeAsync("gs1/+/+/record/+", { qos: 1 });
  return { records };
}

// The agent itself in a real XS engine: telegrams in at the port, signed records out at a broker, through kill -9.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { toHex } from "../../src/wire/bytes.js";
import type { Record } from "../../src/wire/record.js";
import { nodeVerify, signerFromSeed } from "../../tools/crypto/signatures.js";
import { createHousehold } from "../../tools/emulators/household.js";
import { p1Telegram } from "../../tools/emulators/p1-telegram.js";
import { GridsealError } from "../../tools/errors.js";
import { startMeter } from "../../tools/meters/meter.js";
import { provisionMeter, startBroker } from "./provision.js";

test("signs a meter's telegrams as records in sequence, and goes on with the next one after kill -9", async (t) => {
  const broker = await startBroker(t);
  const directory = await provisionMeter(t, broker.url);
  const seed = await readFile(join(directory, "keyvalue/seed"));
  const household = createHousehold({ seed: 1, start_s: 1_790_000_000 });
  let time_s = 1_790_000_000;
  const states: string[] = [];
  const meter = await startMeter({
    name: "m1",
    directory,
    openPort(_port, onBytes) {
      const timer = setInterval(() => onBytes(p1Telegram(household.step(++time_s), "5.0")), 50);
      return { close: () => clearInterval(timer) };
    },
    clock: () => ({ time_ms: 1000 * time_s, quality: 2 }),
    onState: (state) => states.push(state),
  });
  t.after(() => meter.kill());

  await broker.until((records) => records.length >= 2);
  process.kill(meter.pid!, "SIGKILL");
  const before = broker.records.length;
  await broker.until((records) => records.slice(before).some(({ claims }) => claims.seq >= before));
  await meter.stop();
  assert.equal(meter.counters.starts, 2);
  assert(states.includes("healthy"), states.join());

  const chain = new Map<number, Record>();
  const { key } = signerFromSeed(new Uint8Array(seed));
  for (const record of broker.records) {
    assert(nodeVerify(key, record.signedBytes, record.signature));
    const known = chain.get(record.claims.seq);
    if (known) assert.equal(toHex(record.hash), toHex(known.hash), "a record that is sent again is the same one");
    chain.set(record.claims.seq, record);
    assert.equal(record.claims.registers?.length, 2);
  }
  assert.deepEqual(
    [...chain.keys()].sort((left, right) => left - right),
    [...chain.keys()].map((_, seq) => seq),
  );
  for (const { claims } of chain.values())
    assert.equal(toHex(claims.previous), claims.seq === 0 ? "" : toHex(chain.get(claims.seq - 1)!.hash));
});

test("does not run where it refuses its configuration, and says which field and why", async (t) => {
  const directory = await provisionMeter(t, "mqtt://127.0.0.1:1");
  const path = join(directory, "configuration.json");
  const document = await readFile(path, "utf8");
  await writeFile(path, JSON.stringify({ ...JSON.parse(document), brokers: [] }));
  const states: string[] = [];
  const options = {
    name: "m1",
    directory,
    openPort: () => ({ close() {} }),
    onState: (state: string) => void states.push(state),
  };
  await assert.rejects(startMeter(options), (error) => {
    assert(error instanceof GridsealError);
    assert.deepEqual([error.code, error.exitStatus], ["CONFIGURATION_REFUSED", 2]);
    assert.match(error.message, /m1 in .*: configuration refused: \$\.brokers/);
    return true;
  });
  assert.deepEqual(states, ["configuration refused"]);
  await writeFile(path, document);
  await (await startMeter(options)).stop();
});

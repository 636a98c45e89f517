// An outbox that filled up while the meter was cut off for months, and is drained once the broker is there: oldest first, every record
// once, each let go by its verified receipt.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { assertUnbroken, makeNetwork, startNodes, stopNodes, verifyChains } from "../integration/network.js";
import { cleanUp, temporaryFolder } from "../integration/processes.js";
import { startMosquitto, withoutMosquitto } from "../node/ingest/mosquitto.js";
import { fillOutbox } from "./backlog.js";
import { configure, editJson, firmware, serveHousehold, startMeter, until, withoutSdk } from "./harness.js";
import { assertChain, listenTo } from "./records.js";

const RECORDS = 10_000;
/** 17 records of one register a sector, and a little: a chip with 8 MB has room for more. */
const FLASH_BYTES = 592 * 4096;
const EVERY_S = 900;
/** Every 15 minutes, until now. */
const SCHEDULE = [{ service: 1, serviceId: 7, every_s: EVERY_S, aligned: true, registers: ["1-0:1.8.n"] }];
/** A meter has 24 records on their way: how long each takes is what the draining takes. */
const BATCH = { interval_ms: 15, records_max: 1_000 };
const READINGS_MAX = 10_900;
const PATIENCE_MS = 600_000;

test("an outbox of 10,000 records is drained oldest first, each record once, each let go by its receipt", {
  skip: withoutSdk || withoutMosquitto,
}, async (t) => {
  const defer = cleanUp(t);
  const folder = join(await temporaryFolder(defer), "network");
  const network = await makeNetwork(defer, folder, { nodes: 4, meters: 1 });
  const meterFolder = join(folder, "meters/meter-1");
  await configure(meterFolder, { schedule: SCHEDULE });
  const start_s = EVERY_S * (Math.floor(Date.now() / 1000 / EVERY_S) - READINGS_MAX);
  const backlog = await fillOutbox(meterFolder, {
    flashBytes: FLASH_BYTES,
    start_s,
    every_s: EVERY_S,
    readingsMax: READINGS_MAX,
  });
  assert(backlog.records >= RECORDS, `${backlog.records} records`);

  await firmware();
  const broker = await startMosquitto();
  defer(broker.stop);
  for (const node of network.nodes)
    await editJson(join(node.folder, "node.json"), { mqtt: { url: broker.url }, batch: BATCH });
  await startNodes(network);
  const seen = await listenTo(t, broker.url);
  const pty = await serveHousehold(t, 6, 1000);
  const port = { kind: "serial", path: pty.path, baud: 115_200, parity: "none" };
  await configure(meterFolder, { brokers: [broker.url], meter: { protocol: "p1", port } });
  const began_ms = performance.now();
  const meter = await startMeter(t, meterFolder);
  let ended: string | undefined;
  void meter.ended.then((status) => (ended = `the meter ended with status ${status}`));
  await until(
    "every receipt",
    () => {
      if (meter.errors.length > 0 || ended !== undefined) throw new Error([ended, ...meter.errors].join("; "));
      return meter.counters.sealed! >= backlog.records;
    },
    PATIENCE_MS,
  ).catch((error) => {
    t.diagnostic(`${JSON.stringify(meter.counters)}`);
    throw error;
  });
  const took_s = Math.round((performance.now() - began_ms) / 1000);
  const use = await meter.use();
  t.diagnostic(`${backlog.records} records of ${Math.round(backlog.days)} days drained in ${took_s} s`);
  t.diagnostic(`${JSON.stringify(use)} ${JSON.stringify(meter.counters)}`);
  assert.deepEqual(meter.errors, []);
  assert.equal(meter.counters.wrongReceipts, 0);
  await meter.kill();
  await stopNodes(network);

  const { records } = seen;
  assertChain(records, await readFile(join(meterFolder, "keyvalue/seed")));
  const first = [...new Set(records.map(({ claims }) => claims.seq))];
  assert.deepEqual(first, [...first.keys()], "in the order in which they were first published");
  const reports = await verifyChains(network);
  assertUnbroken(reports);
  assert(reports.get(1)!.records.length >= backlog.records);
});

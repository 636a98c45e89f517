// Four nodes and their meters on one mosquitto by its URL: the broker is killed and started again in the middle, then a node; every
// record comes through once.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { openPort } from "../../tools/emulators/port.js";
import { startMeter } from "../../tools/meters/meter.js";
import { parsePort } from "../../tools/meters/ports/port-configuration.js";
import { startMosquitto, withoutMosquitto } from "../node/ingest/mosquitto.js";
import { independentCbor, independentDecode, independentSequence } from "../wire/independent-cbor.js";
import { hex, list } from "../wire/stranger-proof.js";
import {
  assertUnbroken,
  makeNetwork,
  startNodes,
  stopNodes,
  type TestNetwork,
  verifyChains,
  whenEqual,
} from "./network.js";
import { cleanUp, type Defer, PATIENCE_MS, temporaryFolder, until } from "./processes.js";

const METERS = 3;
const service = 1;

test("nodes that share one mosquitto seal every record once, whatever is killed", {
  skip: withoutMosquitto,
  timeout: 240_000,
}, async (t) => {
  const defer = cleanUp(t);
  const network = await makeNetwork(defer, join(await temporaryFolder(defer), "network"), { nodes: 4, meters: METERS });
  const broker = await startMosquitto();
  defer(broker.stop);
  await shareBroker(network, broker.url);
  await startNodes(network);
  const meters = await startMeters(defer, network);

  await t.test("meters get receipts, and the nodes share the work", async () => {
    await until("every meter has receipts", () => meters.fewest() >= 5);
    await until("several nodes have taken records", async () => {
      const taken = await Promise.all(network.nodes.map((node) => node.counter("gridseal_records_admitted_total")));
      return taken.filter((count) => count > 0).length > 1;
    });
    await until("several nodes know how long their records have waited", async () => {
      const known = await Promise.all(network.nodes.map((node) => node.counter("gridseal_sealing_seconds_count")));
      return known.filter((count) => count > 0).length > 1;
    });
  });
  await t.test("the broker is killed and comes back", async () => {
    const before = meters.fewest();
    await broker.kill();
    await until("records wait on the meters", () => meters.states.every((state) => state === "no broker"));
    await broker.restart();
    await until("every meter has receipts again", () => meters.fewest() >= before + 5, 2 * PATIENCE_MS);
  });
  await t.test("a node is killed, the rest go on, and it catches up", async () => {
    const node = network.nodes[1]!;
    const before = meters.fewest();
    await node.kill();
    await until("every meter has more receipts", () => meters.fewest() >= before + 5, 2 * PATIENCE_MS);
    await node.start();
    await whenEqual(network);
  });
  await meters.settle();
  await whenEqual(network);
  await stopNodes(network);
  await t.test("every record is sealed once", async () => {
    const reports = await verifyChains(network);
    assertUnbroken(reports);
    const sealed = reports.get(service)!.records.map(({ hash }) => hash);
    assert.deepEqual(sealed.sort(), [...meters.published].sort());
  });
});

/** Makes the broker that of all nodes and meters; meters send a record of one service for each telegram. */
async function shareBroker({ folder, nodes }: TestNetwork, url: string): Promise<void> {
  for (const node of nodes) await edit(join(node.folder, "node.json"), { mqtt: { url } });
  const registers = ["1-0:1.8.n", "1-0:2.8.n"];
  const schedule = [{ service, serviceId: 12, every_s: 1, aligned: false, registers }];
  for (let number = 1; number <= METERS; number += 1) {
    await edit(join(folder, `meters/meter-${number}/configuration.json`), { brokers: [url], schedule });
  }
}

async function edit(path: string, changes: object): Promise<void> {
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, "utf8")), ...changes }));
}

async function startMeters(defer: Defer, { folder }: TestNetwork) {
  /** hashes of the records, stripped */
  const published = new Set<string>();
  const sealed = new Set<string>();
  const receipts = Array.from({ length: METERS }, () => 0);
  const states = receipts.map(() => "");
  const start = async (index: number) => {
    const name = `meter-${index + 1}`;
    const meter = await startMeter({
      name,
      directory: join(folder, "meters", name),
      openPort: (port, onBytes) => openPort(parsePort(port), onBytes, assert.ifError),
      onState(state) {
        states[index] = state;
      },
      onTraffic(direction, topic, payload) {
        const kind = topic.split("/")[3];
        if (direction === "published" && kind === "record") published.add(strippedHash(payload));
        if (direction !== "received" || kind !== "receipt") return;
        const hash = hex(list(independentDecode(independentSequence(payload, 1)[0]!), 10)[4]);
        if (!sealed.has(hash)) receipts[index]! += 1;
        sealed.add(hash);
      },
    });
    defer(() => meter.kill());
    return meter;
  };
  const meters = await Promise.all(receipts.map((_, index) => start(index)));
  return {
    published,
    states,
    /** receipts of the meter that has the fewest */
    fewest: () => Math.min(...receipts),
    /** No new readings; waits until all that was published has its receipt. */
    async settle(): Promise<void> {
      await Promise.all(meters.map((meter) => meter.pauseMeter()));
      await until("every record has its receipt", () => sealed.size === published.size, 2 * PATIENCE_MS);
      for (const meter of meters) await meter.stop();
    },
  };
}

/** PROTOCOL.md, section 4: the hash of a record is that of the record without its disclosures. */
function strippedHash(record: Uint8Array): string {
  const [header, , payload, signature] = list(independentDecode(record.subarray(1)), 4);
  const stripped = Buffer.concat([Buffer.of(0xd2), independentCbor([header!, new Map(), payload!, signature!])]);
  return createHash("sha256").update(stripped).digest("hex");
}

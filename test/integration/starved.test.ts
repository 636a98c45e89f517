// A meter in a real engine whose first broker lies: it is not healthy, goes to another one, and no record is missing in the end. Then the
// authority revokes it, and it and its node say so.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { openPort } from "../../tools/emulators/port.js";
import { startLyingBroker } from "../../tools/lab/soak/lying-broker.js";
import { startMeter } from "../../tools/meters/meter.js";
import { parsePort } from "../../tools/meters/ports/port-configuration.js";
import { makeNetwork, startNodes, stopNodes, verifyChains, whenEqual } from "./network.js";
import { cleanUp, gridseal, PATIENCE_MS, temporaryFolder, until } from "./processes.js";

const SERVICE = 1;
/** of the records, the first that the lying broker refuses for ever */
const REFUSED = 3;

test("a meter that is lied to, and then revoked", { timeout: 280_000 }, async (t) => {
  const defer = cleanUp(t);
  const network = await makeNetwork(defer, join(await temporaryFolder(defer), "network"), { nodes: 2, meters: 1 });
  const [first, second] = network.nodes;
  await startNodes(network);
  const liar = await startLyingBroker(first!.mqtt, 1);
  defer(() => liar.close());
  const directory = join(network.folder, "meters/meter-1");
  const path = join(directory, "configuration.json");
  const brokers = [`mqtt://127.0.0.1:${liar.port}`, `mqtt://127.0.0.1:${second!.mqtt.port}`];
  const schedule = [{ service: SERVICE, serviceId: 1, every_s: 1, aligned: false, registers: ["1-0:1.8.n"] }];
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, "utf8")), brokers, schedule }));
  const states: string[] = [];
  const kinds = new Set<string>();
  let id = "";
  const meter = await startMeter({
    name: "meter-1",
    directory,
    openPort: (port, onBytes) => openPort(parsePort(port), onBytes, assert.ifError),
    onState: (state) => void (states.at(-1) !== state && states.push(state)),
    onTraffic(_direction, topic) {
      kinds.add(topic.split("/")[3]!);
      id = topic.split("/")[4]!;
    },
  });
  defer(() => meter.kill());
  const api = `http://${second!.api.host}:${second!.api.port}`;

  await t.test(
    "says that it is refused while its broker refuses one record, and gets it sealed by another",
    async () => {
      liar.lie("pick");
      await until("it says so", () => states.at(-1)?.startsWith("refused: "));
      assert.ok(liar.counters.refusalsForged > 0);
      await until(
        "the record is sealed",
        async () => (await fetch(`${api}/receipts/${SERVICE}/${id}/${REFUSED}`)).status === 200,
        3 * PATIENCE_MS,
      );
      await until("it is healthy again", () => states.at(-1) === "healthy");
      assert.equal(await second!.counter("gridseal_chain_violations"), 0);
    },
  );

  await t.test("says that it is revoked, as its node does in its log and metrics", async () => {
    const file = join(network.folder, "revoke.order");
    const made = await gridseal(
      "authority",
      "order",
      "revoke",
      id,
      "--network",
      network.folder,
      "--api",
      api,
      "-o",
      file,
    );
    assert.equal(made.status, 0, made.errors);
    const submitted = await gridseal("order", "submit", file, "--api", api, "--genesis", network.genesis);
    assert.equal(submitted.status, 0, submitted.errors);
    await until("it says so", () => states.at(-1) === "refused: revoked");
    const counted = await second!.counter("gridseal_meter_refusals_total", { meter: id, reason: "revoked" });
    assert.ok(counted > 0);
    const lines = second!.process!.output.split("\n").filter((line) => line.includes('"a meter is refused"'));
    assert.equal(lines.length, 1, "once, however often");
    assert.ok(lines[0]!.includes(id) && lines[0]!.includes("revoked"));
    assert.ok(kinds.has("ack"));
  });

  await meter.stop();
  await whenEqual(network);
  await stopNodes(network);
  await verifyChains(network);
});

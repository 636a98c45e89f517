// A provisioned meter's folder and a broker that keeps the records it is sent, for meters that run in a real XS engine.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { Aedes } from "aedes";
import { parseRecord, type Record } from "../../src/wire/record.js";
import { parseTopic } from "../../src/wire/topics.js";
import { createNetwork } from "../../tools/provisioning/network.js";

const PATIENCE_MS = 60_000;

/** The folder of a meter of a network of its own, with one record a second for service 1; `fields` go into its configuration. */
export async function provisionMeter(t: TestContext, broker: string, fields: object = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gridseal-agent-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const chains = [{ service: 1, name: "trading", nodes: [1] }];
  const plan = { network: "test", nodes: 1, chains, meters: 1, host: "127.0.0.1", basePort: 21_000, target: 0 };
  const { meters } = await createNetwork(join(folder, "network"), plan, new Date());
  const directory = join(folder, "network/meters", meters[0]!.name);
  const path = join(directory, "configuration.json");
  const document = JSON.parse(await readFile(path, "utf8"));
  const schedule = [{ service: 1, serviceId: 7, every_s: 1, aligned: false, registers: ["1-0:1.8.n"] }];
  await writeFile(path, JSON.stringify({ ...document, brokers: [broker], schedule, ...fields }));
  return directory;
}

/** A broker that keeps the records it is sent. */
export async function startBroker(t: TestContext) {
  const broker = await Aedes.createBroker();
  const server = createServer(broker.handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    broker.close();
    server.close();
  });
  const records: Record[] = [];
  let look: () => void = () => {};
  broker.on("publish", ({ topic, payload }) => {
    if (parseTopic(topic)?.kind !== "record") return;
    records.push(parseRecord(new Uint8Array(payload as Buffer)));
    look();
  });
  return {
    records,
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    until: (holds: (records: readonly Record[]) => boolean) =>
      new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`not so after ${records.length} records`)), PATIENCE_MS);
        look = () => {
          if (!holds(records)) return;
          clearTimeout(timer);
          resolve();
        };
        look();
      }),
  };
}

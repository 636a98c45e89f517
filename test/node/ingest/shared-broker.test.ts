// The configuration of a shared broker that docs/shared-broker.md gives: nodes by a password, meters to their own topics, nobody else anything.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { connectAsync, type MqttClient } from "mqtt";
import { createExternalBroker, defaultExternalLimits } from "../../../tools/node/ingest/external.js";
import { until } from "../network/cluster.js";
import { meter, noteEverything } from "./client.js";
import { freePort, startMosquittoIn, withoutMosquitto } from "./mosquitto.js";

const stranger = "ffeeddccbbaa9988";
const topic = (kind: string, service: string, of = meter) => `gs1/grid/${service}/${kind}/${of}`;

/** The block of docs/shared-broker.md that begins with this line. */
async function template(head: string): Promise<string> {
  const readme = await readFile(new URL("../../../docs/shared-broker.md", import.meta.url), "utf8");
  const found = readme.split("```").find((block) => block.startsWith(`${head}\n`));
  assert.ok(found !== undefined, `docs/shared-broker.md has a block ${head}`);
  return found.slice(head.length + 1);
}

async function startShared(t: { after(deed: () => Promise<void>): void }) {
  const folder = await mkdtemp(join(tmpdir(), "gridseal-shared-"));
  const [nodes, meters] = [await freePort(), await freePort()];
  for (const name of ["nodes.acl", "meters.acl"]) await writeFile(join(folder, name), await template(`acl ${name}`));
  const passwords = join(folder, "nodes.passwd");
  await writeFile(passwords, "", { mode: 0o644 });
  await promisify(execFile)("mosquitto_passwd", ["-b", passwords, "node-1", "SECRET"]);
  const own = process.getuid?.() === 0 ? "user root\n" : "";
  const text = (await template("conf")).replace("8884", `${nodes} 127.0.0.1`).replace("8883", `${meters} 127.0.0.1`);
  const broker = await startMosquittoIn(folder, meters, own + text);
  t.after(broker.stop);
  return { nodes, meters };
}

async function session(port: number, clientId: string, heard: string[]): Promise<MqttClient> {
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { clientId, reconnectPeriod: 0 }, true);
  client.on("message", (on) => heard.push(on));
  return client;
}

test("a shared broker as docs/shared-broker.md has it lets nodes and meters do their work, and strangers neither hear nor answer them", {
  skip: withoutMosquitto,
}, async (t) => {
  const { nodes, meters } = await startShared(t);
  await assert.rejects(connectAsync(`mqtt://127.0.0.1:${nodes}`, { reconnectPeriod: 0 }, false), /[Nn]ot authorized/);
  const noted = noteEverything();
  const published: string[] = [];
  const node = createExternalBroker({
    url: `mqtt://node-1:SECRET@127.0.0.1:${nodes}`,
    clientId: "gridseal-node-1",
    network: "grid",
    services: [1],
    limits: defaultExternalLimits,
    handlers: { ...noted.handlers, onPublish: async ({ kind, meter: of }) => void published.push(`${kind} ${of}`) },
    onConnection() {},
  });
  await node.start();
  t.after(() => node.close());
  const heard: string[] = [];
  const own = await session(meters, meter, heard);
  const overheard: string[] = [];
  const other = await session(meters, stranger, overheard);
  const anyone = await session(meters, "#", overheard);
  t.after(async () => void (await Promise.all([own, other, anyone].map((client) => client.endAsync(true)))));
  const kinds = ["receipt", "members"].map((kind) => topic(kind, "+"));
  await own.subscribeAsync([...kinds, topic("ack", "-"), topic("command", "-")], { qos: 1 });
  const wanted = ["#", "gs1/grid/+/record/+", topic("ack", "-"), topic("receipt", "+"), topic("command", "-")];
  for (const client of [other, anyone]) await client.subscribeAsync(wanted, { qos: 1 }).catch(() => undefined);

  for (const client of [other, anyone]) {
    for (const kind of ["birth", "ack", "command", "diag"])
      await client.publishAsync(topic(kind, "-"), "x", { qos: 1 });
    for (const kind of ["record", "receipt", "members"]) await client.publishAsync(topic(kind, "1"), "x", { qos: 1 });
  }
  await own.publishAsync(topic("ack", "-"), "x", { qos: 1 });
  await own.publishAsync(topic("birth", "-"), "x", { qos: 1 });
  await own.publishAsync(topic("record", "1"), "x", { qos: 1 });
  await until(() => published.length === 2);
  for (const on of [topic("receipt", "1"), topic("members", "1"), topic("ack", "-")]) {
    assert.ok(node.publish(on, Buffer.from("y")));
  }
  await until(() => heard.length === 3);
  await other.publishAsync(topic("birth", "-", stranger), "x", { qos: 1 });
  await until(() => published.length === 3);
  assert.deepEqual(published, [`birth ${meter}`, `record ${meter}`, `birth ${stranger}`]);
  assert.deepEqual(heard.sort(), [topic("ack", "-"), topic("members", "1"), topic("receipt", "1")].sort());
  assert.deepEqual(overheard, []);
});

// A cluster that asks for session tokens, by its own brokers and by a mosquitto that the nodes share: a stranger on the network reads no
// record, takes over no session, sends a meter nothing, and reads no block. No secret stands in what the processes say or keep.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { connect, type MqttClient } from "mqtt";
import { encodeCbor } from "../../src/wire/cbor.js";
import { keyId, type Signer } from "../../src/wire/key.js";
import { signRecord } from "../../src/wire/record.js";
import { freshToken } from "../../tools/crypto/fresh-token.js";
import { signerFromSeed } from "../../tools/crypto/signatures.js";
import { openPort } from "../../tools/emulators/port.js";
import { startMeter } from "../../tools/meters/meter.js";
import { parsePort } from "../../tools/meters/ports/port-configuration.js";
import { mosquittoConfiguration } from "../../tools/provisioning/broker-folder.js";
import { freePort, startMosquittoIn, withoutMosquitto } from "../node/ingest/mosquitto.js";
import { makeNetwork, startNodes, type TestNetwork, whenEqual } from "./network.js";
import { cleanUp, type Defer, gridseal, PATIENCE_MS, temporaryFolder, until } from "./processes.js";

const SERVICE = 1;
const run = promisify(execFile);

interface Holder {
  readonly id: string;
  readonly signer: Signer;
  readonly credential: Uint8Array;
  readonly secrets: readonly string[];
  token(url: string): string;
}

/** What the numbered meter of the network holds. */
async function holderOf({ folder, genesisHash }: TestNetwork, number: number): Promise<Holder> {
  const read = async (name: string) =>
    Uint8Array.from(await readFile(join(folder, `meters/meter-${number}/keyvalue`, name)));
  const [seed, credential] = [await read("seed"), await read("credential")];
  const signer = signerFromSeed(seed);
  return {
    ...{ signer, credential, id: Buffer.from(keyId(signer.key)).toString("hex") },
    secrets: [Buffer.from(seed).toString("hex"), Buffer.from(seed).toString("latin1")],
    token: (url) => freshToken({ signer, credential, genesis: genesisHash }, url, Date.now()),
  };
}

async function edit(path: string, changes: (document: Record<string, unknown>) => object): Promise<void> {
  const document = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
  await writeFile(path, JSON.stringify({ ...document, ...changes(document) }));
}

/** The first meter, with what it is sent. */
async function startFirstMeter(defer: Defer, { folder }: TestNetwork, brokers?: readonly string[]) {
  const registers = ["1-0:1.8.n", "1-0:2.8.n"];
  await edit(join(folder, "meters/meter-1/configuration.json"), () => ({
    schedule: [{ service: SERVICE, serviceId: 12, every_s: 1, aligned: false, registers }],
    ...(brokers !== undefined && { brokers }),
  }));
  const kinds = new Map<string, number>();
  const states: string[] = [];
  const meter = await startMeter({
    name: "meter-1",
    directory: join(folder, "meters/meter-1"),
    openPort: (port, onBytes) => openPort(parsePort(port), onBytes, assert.ifError),
    onState: (state) => void (states.at(-1) !== state && states.push(state)),
    onTraffic(direction, topic) {
      const kind = topic.split("/")[3]!;
      if (direction === "received") kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    },
  });
  defer(() => meter.kill());
  return { meter, states, received: (kind: string) => kinds.get(kind) ?? 0 };
}

/** An MQTT client, connected or refused; `heard` has the topics that it is sent. */
async function attempt(defer: Defer, url: string, shown: { username?: string; password?: string } = {}) {
  const client: MqttClient = connect(url, { clientId: "stranger", reconnectPeriod: 0, ...shown });
  defer(() => client.end(true));
  const heard: string[] = [];
  client.on("message", (topic) => heard.push(topic));
  const outcome = await new Promise<string>((resolve) => {
    client.once("connect", () => resolve("connected"));
    client.once("error", (error) => resolve(error.message));
  });
  return { client, heard, outcome };
}

/** Tries all that a stranger, and then another meter, could want at the broker of the URL. */
async function tryEverything(
  defer: Defer,
  url: string,
  [victim, other]: readonly [Holder, Holder],
  { received, network }: { readonly received: (kind: string) => number; readonly network: string },
): Promise<void> {
  const topic = (level: string, kind: string) => `gs1/${network}/${level}/${kind}/${victim.id}`;
  const filters = [
    ...["record", "receipt", "members"].map((kind) => topic("+", kind)),
    ...["ack", "command", "diag", "birth"].map((kind) => topic("-", kind)),
    `gs1/${network}/+/record/+`,
    "#",
  ];
  for (const shown of [{}, { username: other.id, password: other.token(url) }]) {
    const { client, heard, outcome } = await attempt(defer, url, shown);
    assert.equal(outcome, "connected");
    for (const filter of filters) await client.subscribeAsync(filter, { qos: 1 }).catch(() => undefined);
    const command = Buffer.from(encodeCbor([1, null]));
    const publish = (to: string) => client.publishAsync(to, command, { qos: 1 }).catch(() => undefined);
    for (const to of [topic("-", "command"), topic("-", "ack"), topic(String(SERVICE), "receipt")]) await publish(to);
    await publish(topic(String(SERVICE), "record"));
    const before = received("receipt");
    await until("the meter goes on", () => received("receipt") >= before + 3, PATIENCE_MS);
    assert.deepEqual(heard, []);
    assert.deepEqual([received("command"), received("ack")], [0, 0]);
    await client.endAsync(true);
  }
  const forged = `${victim.token(url).split(".")[0]}.${other.token(url).split(".")[1]}`;
  for (const password of [other.token(url), forged, "guess"]) {
    const { outcome } = await attempt(defer, url, { username: victim.id, password });
    assert.match(outcome, /Not authorized|Bad (username|user name)|Connection refused/);
  }
}

test("a cluster of own brokers lets a stranger do nothing to a meter", { timeout: 300_000 }, async (t) => {
  const defer = cleanUp(t);
  const network = await makeNetwork(defer, join(await temporaryFolder(defer), "network"), { nodes: 4, meters: 3 });
  for (const node of network.nodes) {
    await edit(join(node.folder, "node.json"), ({ mqtt, api }) => ({
      mqtt: { ...(mqtt as object), admission: "tokens" },
      api: { ...(api as object), admission: "tokens" },
      log: "debug",
    }));
  }
  await startNodes(network);
  const [victim, other, poster] = await Promise.all([1, 2, 3].map((number) => holderOf(network, number)));
  const { received, states } = await startFirstMeter(defer, network);
  const [first] = network.nodes;
  const url = `mqtt://${first!.mqtt.host}:${first!.mqtt.port}`;
  const api = `http://${first!.api.host}:${first!.api.port}`;
  await until("the meter has receipts", () => received("receipt") >= 3);

  await t.test("by MQTT", async () => {
    await tryEverything(defer, url, [victim!, other!], { received, network: network.network });
  });

  await t.test("by HTTP, where a node and no meter reads blocks", async () => {
    const status = async (token?: string) => {
      const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
      return (await fetch(`${api}/chains/${SERVICE}/blocks?limit=1`, { headers })).status;
    };
    assert.deepEqual([await status(), await status(victim!.token(api))], [401, 403]);
    const genesis = ["--api", api, "--genesis", network.genesis];
    const refused = await gridseal("chain", "audit", ...genesis);
    assert.equal(refused.status, 1);
    assert.match(refused.errors, /no session token was shown/);
    const audited = await gridseal("chain", "audit", ...genesis, "--as", first!.folder);
    assert.equal(audited.status, 0, audited.errors);
  });

  await t.test("a holder without MQTT brings a record and gets its receipt", async () => {
    const claims = {
      ...{ service: SERVICE, serviceId: 12, seq: 0, previous: new Uint8Array(0), quality: 2, source: 1, reason: 1 },
      ...{ time_s: Math.floor(Date.now() / 1_000), frameHash: new Uint8Array(32) },
      registers: [{ obis: Uint8Array.of(1, 0, 1, 8, 0, 255), value: 7, scaler: 0, unit: 30 }],
    };
    const { signer, id } = poster!;
    const body = Buffer.from(signRecord(claims, [], signer, keyId(signer.key)));
    const post = (token: string) =>
      fetch(`${api}/records`, {
        method: "POST",
        headers: { "content-type": "application/cose", authorization: `Bearer ${token}` },
        body,
      });
    assert.equal((await post(other!.token(api))).status, 422, "of another's token");
    const taken = await post(poster!.token(api));
    assert.equal(taken.status, 202);
    const { receipt } = (await taken.json()) as { receipt: string };
    assert.equal(receipt, `/receipts/${SERVICE}/${id}/0`);
    await until("its receipt is there", async () => (await fetch(api + receipt)).status === 200);
  });

  await t.test("a meter that is suspended says why no broker takes it, and goes on when it is resumed", async () => {
    for (const [verb, state] of [
      ["suspend", "refused: suspended"],
      ["resume", "healthy"],
    ] as const) {
      const file = join(network.folder, `${verb}.order`);
      const named = ["--network", network.folder, "--api", api];
      const made = await gridseal("authority", "order", verb, victim!.id, ...named, "-o", file);
      assert.equal(made.status, 0, made.errors);
      const submitted = await gridseal("order", "submit", file, "--api", api, "--genesis", network.genesis);
      assert.equal(submitted.status, 0, submitted.errors);
      await until(`it is ${state}`, () => states.at(-1) === state, 2 * PATIENCE_MS);
    }
    const before = received("receipt");
    await until("it has receipts again", () => received("receipt") > before);
  });

  await t.test("no secret stands in what the nodes have said or kept", async () => {
    await whenEqual(network);
    const shown = victim!.token(url);
    await attempt(defer, url, { username: shown, password: shown });
    const outcomes = await Promise.all(
      network.nodes.map(async (node) => {
        await node.stop();
        return node.process!.ended;
      }),
    );
    const keys = await Promise.all(network.nodes.map(({ folder }) => readFile(join(folder, "key.json"), "utf8")));
    const seeds = keys.map((text) => (JSON.parse(text) as { seed: string }).seed);
    const planted = [...victim!.secrets, ...poster!.secrets, ...seeds, shown.split(".")[1]!.slice(0, 40)];
    const kept = await Promise.all(network.nodes.map(({ folder }) => textsIn(join(folder, "data"))));
    const told = [...outcomes.flatMap(({ output, errors }) => [output, errors]), ...kept.flat()];
    assert.ok(
      outcomes.some(({ output, errors }) => (output + errors).includes("token-")),
      "refusals are told",
    );
    for (const secret of planted) assert.ok(!told.some((text) => text.includes(secret)));
  });
});

async function textsIn(folder: string): Promise<string[]> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  return Promise.all(
    files.map(async ({ parentPath, name }) => (await readFile(join(parentPath, name))).toString("latin1")),
  );
}

const source = fileURLToPath(new URL("../../tools/node/admission/mosquitto-plugin.c", import.meta.url));
/** Debian has the one in libmosquitto-dev, the other in mosquitto-dev. */
const lackedHeader = ["mosquitto.h", "mosquitto_plugin.h"].find((name) => !existsSync(`/usr/include/${name}`));
const withoutPlugin = withoutMosquitto || (lackedHeader === undefined ? false : `${lackedHeader} is not installed`);

test("a mosquitto with the plugin does the same for nodes that share it", {
  skip: withoutPlugin,
  timeout: 300_000,
}, async (t) => {
  const defer = cleanUp(t);
  const folder = await temporaryFolder(defer);
  const network = await makeNetwork(defer, join(folder, "network"), { nodes: 4, meters: 2 });
  const plugin = join(folder, "gridseal.so");
  await run("cc", ["-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", plugin, source]);
  const port = await freePort();
  const [, ...lines] = mosquittoConfiguration(network.network, {
    ...{ port, plugin },
    nodes: network.nodes.map(({ api }) => api),
  }).split("\n");
  const plain = lines.filter((line) => !/^(certfile|keyfile|listener) /.test(line));
  const broker = await startMosquittoIn(
    await temporaryFolder(defer),
    port,
    // The plugin lies where this user alone reads.
    [`user ${userInfo().username}`, `listener ${port} 127.0.0.1`, ...plain].join("\n"),
  );
  defer(broker.stop);
  for (const node of network.nodes) {
    await edit(join(node.folder, "node.json"), () => ({ mqtt: { url: broker.url } }));
  }
  await startNodes(network);
  const [victim, other] = await Promise.all([1, 2].map((number) => holderOf(network, number)));
  const { received } = await startFirstMeter(defer, network, [broker.url]);
  await until("the meter has receipts", () => received("receipt") >= 3);
  await tryEverything(defer, broker.url, [victim!, other!], { received, network: network.network });
});

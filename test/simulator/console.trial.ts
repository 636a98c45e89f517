// The field engineer's five minutes: a meter as it leaves the factory is configured over its console alone, until its records are at
// the broker.

import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { toHex } from "../../src/wire/bytes.js";
import { publicKeyFromHex } from "../../tools/authority/issue.js";
import { provisionMeter } from "../../tools/provisioning/provision.js";
import { startMosquitto, withoutMosquitto } from "../node/ingest/mosquitto.js";
import { ask, assertStack, provisionMeters, serveHousehold, startMeter, until, withoutSdk } from "./harness.js";
import { assertChain, listenTo } from "./records.js";

test("a meter that knows nothing is configured, certified and running by its console alone", {
  skip: withoutSdk || withoutMosquitto,
}, async (t) => {
  const broker = await startMosquitto();
  t.after(() => broker.stop());
  const seen = await listenTo(t, broker.url);
  const pty = await serveHousehold(t, 5, 500);
  const [other] = await provisionMeters(t, 1);
  const network = dirname(dirname(other!));
  const folder = join(network, "meters/field");
  await mkdir(folder);
  const meter = await startMeter(t, folder);
  await until("its state", () => meter.state === "configuration refused");
  assert.match(await ask(meter, "show"), /no configuration is stored/);

  const { genesis } = JSON.parse(await readFile(join(other!, "configuration.json"), "utf8"));
  const document = {
    version: 1,
    network: "test",
    genesis,
    brokers: ["mqtt://10.255.255.1:1883"],
    meter: { protocol: "p1", port: { kind: "serial", path: pty.path, baud: 115_200, parity: "none" } },
    schedule: [{ service: 1, serviceId: 7, every_s: 1, aligned: false, registers: ["1-0:1.8.n"] }],
  };
  assert.match(
    await ask(meter, `configuration ${JSON.stringify({ ...document, network: "Test" })}`),
    /^not stored: \$\.network/,
  );
  assert.match(await ask(meter, `configuration ${JSON.stringify(document)}`), /^stored/);
  assert.match(await ask(meter, `set brokers ${JSON.stringify([broker.url])}`), /^stored/);
  const request = await ask(meter, "request");
  await ask(meter, "restart");
  await until("its state", () => meter.state === "no credential");
  await until("frames", () => (meter.counters.frames ?? 0) >= 2);
  await ask(meter, "live");
  await until("the meter's bytes", () =>
    meter.messages.some((message) => "live" in message && /1-0:1\.8\.1/.test(message.live)),
  );
  await ask(meter, "live 0");

  const hex = / --public-key ([0-9a-f]{64})$/m.exec(request)![1]!;
  const terms = { network, id: "field-1", days: 30, force: false, publicKey: publicKeyFromHex(hex) };
  const { credential } = await provisionMeter(terms, new Date());
  assert.match(await ask(meter, `credential ${toHex(credential).slice(2)}`), /credential/);
  assert.match(
    await ask(meter, `credential ${toHex(credential)}`),
    /^credential of field-1, for a test network, stored/,
  );
  await ask(meter, "restart");
  await until("records", () => seen.records.length >= 3);
  assert.match(await ask(meter, "counters"), /^frames \d+$/m);
  const use = await meter.use();
  t.diagnostic(JSON.stringify(use));
  assertStack(use);
  assert.deepEqual(
    meter.errors.filter((reason) => !reason.startsWith("configuration refused")),
    [],
  );
  await meter.kill();
  assertChain(seen.records, await readFile(join(folder, "keyvalue/seed")));
});

test("whatever is typed, the meter goes on", { skip: withoutSdk }, async (t) => {
  const [folder] = await provisionMeters(t, 1);
  const meter = await startMeter(t, folder!);
  const words = ["state", "set", "show", "live", "wifi", "credential", "configuration", "ca", "sntp", "request", "x"];
  const rest = [
    "",
    "{",
    '"',
    "[[[[",
    "__proto__ {}",
    "00",
    "d284",
    "30820001ff",
    "-1",
    "1e99",
    "é😀",
    "a".repeat(3_000),
  ];
  for (const word of words) for (const more of rest) meter.send(`console ${word} ${more}`);
  meter.send("console");
  assert.match(await ask(meter, "help"), /./);
  await until(
    "all answers",
    () => meter.messages.filter((message) => "console" in message).length > words.length * rest.length,
  );
  const use = await meter.use();
  t.diagnostic(JSON.stringify(use));
  assertStack(use);
  assert.deepEqual(
    meter.errors.filter((reason) => !reason.startsWith("the meter's port")),
    [],
  );
});

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { GridsealError } from "../../tools/errors.js";
import { fieldsForRestart, parseNodeConfiguration, readNodeConfiguration } from "../../tools/node/configuration.js";

const good = {
  version: 1,
  name: "node-1",
  genesis: "genesis.cbor",
  key: "key.json",
  tls: { key: "tls.key.pem", certificate: "tls.cert.pem", ca: "/etc/ca.cert.pem" },
  data: "data",
  peers: {
    listen: { host: "127.0.0.1", port: 9101 },
    addresses: { "00112233445566ff": { host: "10.0.0.2", port: 9102 } },
  },
  mqtt: { listen: { host: "::1", port: 9201 } },
  api: { host: "127.0.0.1", port: 9301 },
};

const parse = (document: unknown) => parseNodeConfiguration(JSON.stringify(document), "/srv/node");

test("resolves paths against the file's folder and fills in the defaults", () => {
  const configuration = parse(good);
  assert.equal(configuration.genesis, "/srv/node/genesis.cbor");
  assert.equal(configuration.data, "/srv/node/data");
  assert.equal(configuration.tls.ca, "/etc/ca.cert.pem");
  assert.deepEqual(configuration.batch, { interval_ms: 200, records_max: 1_000 });
  assert.equal(configuration.log, "info");
  assert.deepEqual(configuration.api, { ...good.api, hosts: [], addressConnections_max: 64, addressRequests_s: 100 });
  assert.deepEqual(configuration.peers, good.peers);
  assert.deepEqual(configuration.rate, { records_per_s: 4, burst: 16_384 });
});

test("takes limits of the node's own broker, and a meter's rate", () => {
  const mqtt = { ...good.mqtt, connections_max: 20, address_connections_max: 3 };
  const configuration = parse({ ...good, mqtt, rate: { burst: 9 } });
  assert.deepEqual(configuration.mqtt, mqtt);
  assert.deepEqual(configuration.rate, { records_per_s: 4, burst: 9 });
});

test("takes a broker's URL in place of an own broker", () => {
  assert.deepEqual(parse({ ...good, mqtt: { url: "mqtts://broker:8883" } }).mqtt, { url: "mqtts://broker:8883" });
});

const refusals: readonly (readonly [string, unknown, RegExp])[] = [
  ["no object", [], /^\$ must be an object$/],
  ["another version", { ...good, version: 2 }, /^\$\.version must be 1$/],
  ["a missing field", { ...good, key: undefined }, /^\$\.key is missing$/],
  ["an unknown field", { ...good, colour: 1 }, /^\$\.colour is no field of this file$/],
  ["an unknown field inside", { ...good, batch: { size: 1 } }, /^\$\.batch\.size is no field of this file$/],
  ["an empty path", { ...good, data: "" }, /^\$\.data must be a text/],
  ["a port beyond 65535", { ...good, api: { host: "h", port: 65_536 } }, /^\$\.api\.port must be a whole number/],
  ["a port that is text", { ...good, api: { host: "h", port: "80" } }, /^\$\.api\.port must be a whole number/],
  ["an API host that is no text", { ...good, api: { ...good.api, hosts: [1] } }, /^\$\.api\.hosts\[0\] must be a text/],
  ["API hosts that are no list", { ...good, api: { ...good.api, hosts: "a" } }, /^\$\.api\.hosts must be a list/],
  [
    "no connection for anybody",
    { ...good, api: { ...good.api, addressConnections_max: 0 } },
    /^\$\.api\.addressConnections_max must be a whole number from 1 to 512/,
  ],
  [
    "no request for anybody",
    { ...good, api: { ...good.api, addressRequests_s: 0 } },
    /^\$\.api\.addressRequests_s must be a whole number from 1 to 10000/,
  ],
  ["an unknown field of the API", { ...good, api: { ...good.api, cors: true } }, /^\$\.api\.cors is no field/],
  [
    "a peer that is no id",
    { ...good, peers: { ...good.peers, addresses: { "node-2": { host: "h", port: 1 } } } },
    /^\$\.peers\.addresses\.node-2 is no node id/,
  ],
  [
    "a peer without a port",
    { ...good, peers: { ...good.peers, addresses: { "00112233445566ff": { host: "h" } } } },
    /^\$\.peers\.addresses\.00112233445566ff\.port is missing$/,
  ],
  ["both a broker and a URL", { ...good, mqtt: { ...good.mqtt, url: "mqtt://b" } }, /^\$\.mqtt must have either/],
  ["neither a broker nor a URL", { ...good, mqtt: {} }, /^\$\.mqtt must have either/],
  ["a URL of another protocol", { ...good, mqtt: { url: "http://b" } }, /^\$\.mqtt\.url must be mqtt:/],
  [
    "a limit of connections to a broker that is not its own",
    { ...good, mqtt: { url: "mqtt://b", connections_max: 5 } },
    /^\$\.mqtt\.connections_max is of the node's own broker/,
  ],
  ["no connections at all", { ...good, mqtt: { ...good.mqtt, connections_max: 0 } }, /^\$\.mqtt\.connections_max must/],
  ["a rate of no records", { ...good, rate: { records_per_s: 0 } }, /^\$\.rate\.records_per_s must/],
  ["an unknown field of the rate", { ...good, rate: { bytes: 1 } }, /^\$\.rate\.bytes is no field/],
  ["more records than a batch holds", { ...good, batch: { records_max: 1_001 } }, /^\$\.batch\.records_max/],
  ["an unknown log level", { ...good, log: "loud" }, /^\$\.log must be one of/],
];

for (const [name, document, reason] of refusals) {
  test(`refuses ${name}`, () => {
    assert.throws(
      () => parse(document),
      (error: Error) => reason.test(error.message),
    );
  });
}

test("names the file, the field and the reason, and takes the folder for the node.json in it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "gridseal-"));
  try {
    const path = join(folder, "node.json");
    await assert.rejects(readNodeConfiguration(path), { code: "FILE_UNREADABLE" });
    await writeFile(path, "{");
    await assert.rejects(readNodeConfiguration(path), {
      code: "CONFIGURATION_INVALID",
      message: /node\.json: \$ is no JSON/,
    });
    await assert.rejects(readNodeConfiguration(folder), {
      code: "CONFIGURATION_INVALID",
      message: /node\.json: \$ is no JSON/,
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("refuses any JSON with a sentence and nothing else", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      assert.throws(
        () => parseNodeConfiguration(text, "/"),
        (error: Error) => !(error instanceof GridsealError) && error.message.startsWith("$"),
      );
    }),
  );
});

test("names the fields that only a start takes up", () => {
  const running = parse(good);
  const address = { host: "10.0.0.9", port: 9102 };
  const readdressed = { ...good.peers, addresses: { "00112233445566ff": address } };
  assert.deepEqual(fieldsForRestart(running, parse({ ...good, peers: readdressed, follow: [7] })), []);
  const moved = { ...good.peers, listen: { host: "127.0.0.1", port: 9109 } };
  const changed = parse({ ...good, log: "debug", peers: moved, orders: "orders" });
  assert.deepEqual(fieldsForRestart(running, changed).toSorted(), ["log", "orders", "peers.listen"]);
});

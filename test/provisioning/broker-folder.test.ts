// The folder of a broker that nodes share, judged by openssl, and the TLS of a node's own broker.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { connect } from "mqtt";
import { GridsealError } from "../../tools/errors.js";
import type { NodeConfiguration } from "../../tools/node/configuration.js";
import { createEmbeddedBroker, defaultBrokerLimits } from "../../tools/node/ingest/broker.js";
import { readBrokerTls } from "../../tools/node/node-files.js";
import { createBrokerFolder } from "../../tools/provisioning/broker-folder.js";
import { createNetwork } from "../../tools/provisioning/network.js";
import { noteEverything } from "../node/ingest/client.js";

const run = promisify(execFile);
const hosts = ["broker.example", "127.0.0.1"];

async function brokerFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gridseal-broker-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const network = join(folder, "network");
  const chains = [{ service: 1, name: "trading", nodes: [1] }];
  const plan = { network: "grid", nodes: 1, chains, meters: 0, host: "127.0.0.1", basePort: 9_000, target: 0 };
  await createNetwork(network, plan, new Date());
  const request = {
    ...{ network, authority: join(network, "authority"), hosts, port: 8_883, plugin: "/usr/lib/gridseal/gridseal.so" },
    nodes: [
      { host: "127.0.0.1", port: 9_201 },
      { host: "192.0.2.7", port: 9_202 },
    ],
  };
  await createBrokerFolder(join(folder, "broker"), request, new Date());
  return join(folder, "broker");
}

test("openssl finds the broker's certificate good for a server of its names, and for nothing else", async (t) => {
  const folder = await brokerFolder(t);
  const verify = (...options: readonly string[]) =>
    run("openssl", ["verify", "-x509_strict", "-CAfile", "ca.cert.pem", ...options, "broker.cert.pem"], {
      cwd: folder,
    });
  assert.match((await verify("-purpose", "sslserver")).stdout, /OK/);
  assert.match((await verify("-verify_hostname", "broker.example")).stdout, /OK/);
  assert.match((await verify("-verify_ip", "127.0.0.1")).stdout, /OK/);
  await assert.rejects(verify("-verify_hostname", "other.example"), /hostname mismatch/i);
  await assert.rejects(verify("-purpose", "sslclient"), /unsupported certificate purpose|unsuitable/i);
  const { stdout } = await run("openssl", ["x509", "-in", "broker.cert.pem", "-noout", "-subject"], { cwd: folder });
  assert.match(stdout, /CN = broker/, "no node's id");
});

test("its configuration names certificate, plugin and nodes, and its key is its owner's alone", async (t) => {
  const folder = await brokerFolder(t);
  const lines = (await readFile(join(folder, "mosquitto.conf"), "utf8")).split("\n");
  for (const line of [
    ...["listener 8883", "certfile broker.cert.pem", "keyfile broker.key.pem", "plugin_opt_network grid"],
    ...["plugin_opt_node_1 127.0.0.1:9201", "plugin_opt_node_2 192.0.2.7:9202"],
  ]) {
    assert.ok(lines.includes(line), line);
  }
  assert.equal((await stat(join(folder, "broker.key.pem"))).mode & 0o077, 0);
});

test("a node's own broker speaks TLS with such a certificate, and refuses a key that is another's", async (t) => {
  const [one, other] = [await brokerFolder(t), await brokerFolder(t)];
  const tlsOf = (key: string) => {
    const listen = { host: "127.0.0.1", port: 0 };
    const certificate = join(one, "broker.cert.pem");
    return readBrokerTls({ mqtt: { listen, tls: { key, certificate } } } as unknown as NodeConfiguration);
  };
  await assert.rejects(
    tlsOf(join(other, "broker.key.pem")),
    (error) => error instanceof GridsealError && error.code === "CERTIFICATE_INVALID",
  );
  const tls = (await tlsOf(join(one, "broker.key.pem")))!;
  const broker = createEmbeddedBroker({
    ...{ network: "grid", listen: { host: "127.0.0.1", port: 0 }, limits: defaultBrokerLimits, tls },
    handlers: noteEverything().handlers,
  });
  t.after(() => broker.close());
  const { url } = await broker.start();
  assert.match(url, /^mqtts:/);
  const client = connect(url, { ca: await readFile(join(one, "ca.cert.pem")), reconnectPeriod: 0 });
  await new Promise((resolve, reject) => client.once("connect", resolve).once("error", reject));
  await client.endAsync();
  const distrusting = connect(url, { ca: await readFile(join(other, "ca.cert.pem")), reconnectPeriod: 0 });
  const error = await new Promise<Error>((resolve) => distrusting.once("error", resolve));
  assert.match(error.message, /certificate|self.signed|signature/i);
  distrusting.end(true);
});

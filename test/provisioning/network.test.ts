import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { isComplaint, readConfiguration } from "../../src/agent/configuration.js";
import { toHex } from "../../src/wire/bytes.js";
import { verifyCredential } from "../../src/wire/credential.js";
import { keyId } from "../../src/wire/key.js";
import { verifyOrder } from "../../src/wire/order.js";
import { publicKeyFromHex } from "../../tools/authority/issue.js";
import { openRegister } from "../../tools/authority/register/register.js";
import { nodeVerify, signerFromSeed } from "../../tools/crypto/signatures.js";
import { readGenesisFile } from "../../tools/files/genesis-file.js";
import { readKeyFile } from "../../tools/files/key-file.js";
import { govern, initialGovernance } from "../../tools/ledger/governance.js";
import { readNodeConfiguration } from "../../tools/node/configuration.js";
import { meterConfiguration } from "../../tools/provisioning/meter-configuration.js";
import { brokersFor, type CreatedNetwork, createNetwork, type NetworkPlan } from "../../tools/provisioning/network.js";
import { provisionMeter } from "../../tools/provisioning/provision.js";

const plan: NetworkPlan = {
  network: "testnet",
  nodes: 4,
  chains: [
    { service: 1, name: "trading", nodes: [1, 2, 3, 4] },
    { service: 6, name: "heat", nodes: [4, 2, 1] },
  ],
  meters: 2,
  host: "127.0.0.1",
  basePort: 9100,
  target: 0,
};
/** RFC 8032 section 7.1, test 1. */
const devicePublicKey = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

let root: string;
let network: string;
let created: CreatedNetwork;

before(async () => {
  root = await mkdtemp(join(tmpdir(), "gridseal-"));
  network = join(root, "network");
  created = await createNetwork(network, plan, new Date());
});
after(() => rm(root, { recursive: true }));

test("signs a genesis with the chains and their members in the order of the plan", async () => {
  const { genesis } = await readGenesisFile(join(network, "genesis.cbor"));
  assert.equal(toHex(genesis.hash), created.genesis);
  assert.equal(genesis.network, "testnet");
  assert.deepEqual(
    genesis.chains.map(({ name, members }) => [name, ...members.map((member) => member.name)]),
    [
      ["trading", "node-1", "node-2", "node-3", "node-4"],
      ["heat", "node-4", "node-2", "node-1"],
    ],
  );
  const authority = await readKeyFile(join(network, "authority/key.json"));
  assert.deepEqual(authority.key, genesis.authority);
});

test("gives every node a configuration that names the others, and the key of its id", async () => {
  for (const { name, id } of created.nodes) {
    const configuration = await readNodeConfiguration(join(network, "nodes", name, "node.json"));
    const others = created.nodes.filter((node) => node.id !== id).map((node) => node.id);
    assert.deepEqual(Object.keys(configuration.peers.addresses).sort(), others.sort());
    assert.equal(toHex(keyId((await readKeyFile(configuration.key)).key)), id);
    for (const path of [configuration.genesis, ...Object.values(configuration.tls)]) await stat(path);
  }
});

test("lets nobody but the owner read what is secret", async () => {
  const secrets = [
    "authority/key.json",
    "authority/ca.key.pem",
    "authority/register/data.mdb",
    "nodes/node-1/key.json",
  ];
  secrets.push("nodes/node-1/tls.key.pem", "meters/meter-1/keyvalue/seed");
  for (const path of secrets) assert.equal((await stat(join(network, path))).mode & 0o777, 0o600, path);
});

test("gives every meter a key, its credential and a configuration that the agent takes", async () => {
  const { genesis } = await readGenesisFile(join(network, "genesis.cbor"));
  for (const { name, id } of created.meters) {
    const folder = join(network, "meters", name);
    const seed = Uint8Array.from(await readFile(join(folder, "keyvalue/seed")));
    const bytes = Uint8Array.from(await readFile(join(folder, "keyvalue/credential")));
    const credential = verifyCredential(bytes, genesis, nodeVerify);
    assert.deepEqual(credential.key, signerFromSeed(seed).key);
    assert.deepEqual(credential.services, [1, 6]);
    assert.equal(credential.subject, name);
    const configuration = readConfiguration(await readFile(join(folder, "configuration.json"), "utf8"));
    assert.ok(!isComplaint(configuration), JSON.stringify(configuration));
    assert.equal(configuration.id, id);
    assert.deepEqual(
      configuration.schedule.map(({ service }) => service),
      [1, 6],
    );
  }
});

test("gives no meter a schedule by which everybody may see a household's power", async () => {
  const { genesis, bytes } = await readGenesisFile(join(network, "genesis.cbor"));
  const services = [1, 2, 3, 4, 5, 6];
  const { schedule } = meterConfiguration(genesis, bytes, "0011223344556677", {
    services,
    brokers: ["mqtt://node:1"],
    number: 1,
  });
  // OBIS (IEC 62056-6-1): D is 7 for a momentary value, and electricity's C from 1 to 80 are powers, currents and voltages.
  const isMomentary = (register: string) => /^1-\w+:\w+\.7\./.test(register);
  for (const { service, registers } of schedule) assert.deepEqual(registers.filter(isMomentary), [], String(service));
  const groups = schedule.flatMap(({ confidential = [] }) => confidential.flatMap(({ registers }) => registers));
  assert.ok(groups.includes("1-0:1.7.0"), "dispatch has it still");
});

test("begins another meter's brokers with another node", () => {
  assert.deepEqual(brokersFor({ ...plan, nodes: 3 }, 2), [
    "mqtt://127.0.0.1:9202",
    "mqtt://127.0.0.1:9203",
    "mqtt://127.0.0.1:9201",
  ]);
  assert.equal(brokersFor({ nodes: 1, host: "::1", basePort: 0 }, 5)[0], "mqtt://[::1]:101");
});

test("overwrites nothing and leaves nothing unfinished", async () => {
  await assert.rejects(createNetwork(network, plan, new Date()), { code: "FILE_EXISTS" });
  const impossible = { ...plan, chains: [{ service: 1, name: "trading", nodes: [5] }] };
  await assert.rejects(createNetwork(join(root, "other"), impossible, new Date()), { code: "USAGE" });
  assert.deepEqual(await readdir(root), ["network"]);
});

test("issues to further meters with the next status index and a row each", async () => {
  const { row, path } = await provisionMeter(
    { network, id: "meter-3", services: [6, 1, 6], days: 10, force: false },
    new Date(),
  );
  assert.equal(path, join(network, "meters/meter-3"));
  assert.equal(row.statusIndex, 2);
  assert.deepEqual(row.services, [1, 6]);
  assert.equal(row.expires_s - row.notBefore_s, 11 * 86_400);
  const { meter } = JSON.parse(await readFile(join(path!, "configuration.json"), "utf8")) as {
    readonly meter: unknown;
  };
  assert.deepEqual(meter, { protocol: "auto", port: { kind: "none" } }, "nothing is signed that nobody has read");
  const register = openRegister(join(network, "authority/register"));
  const rows = [...register.rows("credentials")].map(({ row: { subject, state } }) => [subject, state]);
  await register.close();
  assert.deepEqual(rows, [
    ["meter-1", "valid"],
    ["meter-2", "valid"],
    ["meter-3", "valid"],
  ]);
});

test("issues for a key that the device made, and writes no secret then", async () => {
  const out = join(root, "device.credential");
  const publicKey = publicKeyFromHex(devicePublicKey);
  const { credential } = await provisionMeter(
    { network, id: "device", days: 10, out, publicKey, force: false },
    new Date(),
  );
  assert.deepEqual(Uint8Array.from(await readFile(out)), credential);
  const { genesis } = await readGenesisFile(join(network, "genesis.cbor"));
  assert.deepEqual(verifyCredential(credential, genesis, nodeVerify).key, publicKey);
  await rm(out);
});

test("refuses an ID or a key that has a credential, unless it is forced", async () => {
  const request = { network, days: 10, force: false };
  const out = join(root, "again");
  await assert.rejects(provisionMeter({ ...request, id: "meter-1", out }, new Date()), { code: "REGISTER_REFUSED" });
  const publicKey = publicKeyFromHex(devicePublicKey);
  await assert.rejects(provisionMeter({ ...request, id: "fresh", publicKey }, new Date()), {
    code: "REGISTER_REFUSED",
  });
  const { row } = await provisionMeter({ ...request, id: "meter-1", out, force: true }, new Date());
  assert.equal(row.subject, "meter-1");
  await rm(out, { recursive: true });
});

test("a key that is certified gets no credential of other services or roles, forced or not", async () => {
  const publicKey = publicKeyFromHex(devicePublicKey);
  const request = { network, id: "device", publicKey, days: 20, force: true };
  for (const other of [{ services: [1] }, { roles: ["customer"] as const }, { id: "another", services: [6] }]) {
    await assert.rejects(
      provisionMeter({ ...request, ...other }, new Date()),
      { code: "REGISTER_REFUSED", message: /which chains go by.*authority renew --id device/ },
      JSON.stringify(other),
    );
  }
  const { row } = await provisionMeter(request, new Date());
  assert.equal(row.subject, "device", "the same again is one that may prolong it");
});

test("refuses keys that verifiers judge differently", async () => {
  const smallOrder = "00".repeat(32);
  const notCanonical = `ed${"ff".repeat(30)}7f`;
  for (const hex of [smallOrder, notCanonical]) {
    const request = { network, id: "weak", days: 10, force: true, publicKey: publicKeyFromHex(hex) };
    await assert.rejects(provisionMeter(request, new Date()), { code: "USAGE", message: /verifiers/ });
  }
  assert.throws(() => publicKeyFromHex("xyz"), { code: "USAGE" });
});

test("refuses unknown services and IDs that could not be a folder", async () => {
  const request = { network, id: "meter-9", days: 10, force: false };
  await assert.rejects(provisionMeter({ ...request, services: [2] }, new Date()), {
    code: "NOT_FOUND",
    message: /service 2/,
  });
  for (const id of ["", "../x", "a/b", "x".repeat(65)]) {
    await assert.rejects(provisionMeter({ ...request, id }, new Date()), { code: "USAGE" });
  }
});

test("refuses a key file whose seed is not that of its id, and never quotes it", async () => {
  const path = join(network, "nodes/node-1/key.json");
  const text = await readFile(path, "utf8");
  const { seed } = JSON.parse(text) as { seed: string };
  const other = seed.replace(/^./, seed.startsWith("0") ? "1" : "0");
  for (const damaged of [text.replace(seed, other), text.replace(seed, "00"), "{", "null"]) {
    await writeFile(path, damaged);
    await assert.rejects(readKeyFile(path), (error: Error & { code?: string }) => {
      assert.equal(error.code, "KEY_INVALID");
      assert.ok(!error.message.includes(other));
      return true;
    });
  }
  await writeFile(path, text);
});

test("a network with an authority of its own is a test network, and says so in its genesis", async () => {
  assert.equal((await readGenesisFile(join(network, "genesis.cbor"))).genesis.isTest, true);
});

test("orders the first contracts with READY of all members, for nodes to bring to the contracts chain", async () => {
  const chains = [
    { service: 1, name: "trading", nodes: [1, 2] },
    { service: 5, name: "contracts", nodes: [1, 2, 3] },
  ];
  const founded = join(root, "founded");
  const made = await createNetwork(founded, { ...plan, nodes: 3, meters: 0, chains, hasContracts: true }, new Date());
  assert.deepEqual(
    made.contracts.map(({ name, service, order }) => `${order} ${name} ${service}`),
    ["1 registry 5", "2 cases 5", "3 metering 1"],
  );
  const { genesis } = await readGenesisFile(join(founded, "genesis.cbor"));
  let governance = initialGovernance(genesis);
  for (const [number, ready] of [
    [1, 3],
    [2, 3],
    [3, 2],
  ] as const) {
    const bytes = await readFile(join(founded, `nodes/node-2/orders/${number}.cose`));
    const order = verifyOrder(Uint8Array.from(bytes), genesis, nodeVerify);
    assert.ok(order.action.type === "install" && order.action.ready.length === ready, `READY of ${ready}`);
    const governed = govern(governance, order, number);
    assert.ok(governed.type === "governed", `order ${number} applies`);
    governance = governed.governance;
  }
  const bare = { ...plan, nodes: 2, meters: 0, chains: chains.slice(0, 1), hasContracts: true };
  const { contracts } = await createNetwork(join(root, "bare"), bare, new Date());
  assert.deepEqual(contracts, [], "without a contracts chain there are no orders");
});

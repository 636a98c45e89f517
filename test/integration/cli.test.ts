// Every subcommand as its user runs it, with --json and without; what misuse, failure and damaged files are answered with.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cp, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createHousehold } from "../../tools/emulators/household.js";
import { p1Telegram } from "../../tools/emulators/p1-telegram.js";
import { type Arguments, failuresOf, misuses, type Scene, subcommands } from "./cli-cases.js";
import { freeBasePort, openNetwork, type TestNetwork } from "./network.js";
import {
  cleanUp,
  type Defer,
  gridseal,
  gridsealJson,
  inPairs,
  startGridseal,
  temporaryFolder,
  until,
} from "./processes.js";

test("the command does what its user asks and says what is wrong", { timeout: 240_000 }, async (t) => {
  const defer = cleanUp(t);
  const folder = await temporaryFolder(defer);
  const scene = await setOut(t, defer, folder);
  await readChains(t, scene);
  await readProofs(t, scene);
  await t.test("demo prints its report alone as JSON", async () => {
    const port = String(await freeBasePort(1));
    const report = await gridsealJson("demo", "--seconds", "1", "--nodes", "1", "--meters", "1", "--base-port", port);
    assert.deepEqual(Object.keys(report as object), ["records", "chains", "latency_ms"]);
  });
  await t.test("every subcommand explains itself", () => inPairs(subcommands, explains));
  await t.test("misuse ends with status 2, a reason in a line and what to do", () =>
    inPairs(misuses(scene), (args) => complains(args, 2)),
  );
  await scene.network.nodes[0]!.stop();
  await t.test("failure ends with status 1, a reason in a line and what to do", async () => {
    const failures = await failuresOf(scene);
    await inPairs(failures, ([args, reason]) => complains(args, 1, reason));
  });
  await t.test("a node refuses damaged files, names them, and overwrites nothing", () => refuseDamage(scene));
});

/** Makes the network by the command alone, runs its node and a meter until records are sealed. */
async function setOut(t: TestContext, defer: Defer, folder: string): Promise<Scene> {
  const { network, meter } = await makeGrid(t, defer, folder);
  const capture = join(folder, "capture.txt");
  await runGrid(t, defer, network, capture);
  const node = network.nodes[0]!;
  const { host, port: apiPort } = node.api;
  const [chain, receipt] = [join(folder, "dispatch.cborseq"), join(folder, "receipt.cbor")];
  const contracts = join(folder, "contracts.cborseq");
  const data = join(node.folder, "data");
  await prints("chain", "export", "dispatch", "--data", data, "-o", chain);
  await prints("chain", "export", "contracts", "--data", data, "-o", contracts);
  await prints("receipt", "get", "--data", data, "--service", "3", "--meter", meter, "--seq", "0", "-o", receipt);
  return {
    folder,
    network,
    data,
    api: `http://${host}:${apiPort}`,
    genesis: network.genesis,
    meter,
    chain,
    contracts,
    receipt,
    capture,
  };
}

async function makeGrid(t: TestContext, defer: Defer, folder: string) {
  const grid = join(folder, "grid");
  const port = String(await freeBasePort(1));
  await t.test("init makes a network", async () => {
    const text = await prints("init", grid, "--nodes", "1", "--meters", "1", "--base-port", port);
    assert.match(text, /^network +gridseal, a test network in /m);
    const other = (await gridsealJson(
      "init",
      join(folder, "other"),
      "--nodes",
      "5",
      "--meters",
      "0",
      "--services",
      "heat=9",
      "--chain",
      "heat=node-5,node-2",
    )) as { chains: { name: string; nodes: string[] }[] };
    assert.deepEqual(other.chains.at(-1), { service: 9, name: "heat", nodes: ["node-5", "node-2"] });
  });
  const network = await openNetwork(defer, grid);
  let meter = "";
  await t.test("authority issue makes a meter's folder, or certifies a device's key", async () => {
    const issued = (await gridsealJson(
      "authority",
      "issue",
      "--network",
      grid,
      "--id",
      "m-3",
      "--services",
      "1,3",
    )) as {
      meter: string;
    };
    meter = issued.meter;
    assert.match(
      await prints("authority", "issue", "--network", grid, "--id", "m-5"),
      /^next +name its port: meter\.port in /m,
    );
    const key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"; // RFC 8032, section 7.1, test 1
    assert.match(
      await prints("authority", "issue", "--network", grid, "--id", "device", "--public-key", key),
      /^credential +d284/m,
    );
  });
  return { network, meter };
}

async function runGrid(t: TestContext, defer: Defer, network: TestNetwork, capture: string): Promise<void> {
  const node = network.nodes[0]!;
  await t.test("node run runs until SIGTERM and logs JSON lines", async () => {
    await node.start();
    const pruned = await gridseal("node", "prune", join(node.folder, "node.json"), "--prune-before", "9");
    assert.equal(pruned.status, 1);
    assert.match(pruned.errors, /another node runs in .*data: two would sign with one key\n {2}Stop the process/);
    await node.stop();
    const { status, output } = await node.process!.ended;
    assert.equal(status, 0);
    assert.ok(
      output
        .trim()
        .split("\n")
        .every((line) => typeof JSON.parse(line).msg === "string"),
    );
    await node.start();
  });
  const household = createHousehold({ seed: 1, start_s: 1_790_000_000 });
  await writeFile(
    capture,
    Buffer.concat([1, 2].map((later_s) => p1Telegram(household.step(1_790_000_000 + later_s), "5.0"))),
  );
  await t.test("meter run runs until SIGTERM and shows its state", async () => {
    const run = startGridseal(
      defer,
      "meter",
      "run",
      join(network.folder, "meters/m-3"),
      "--emulator",
      "--interval",
      "250",
      "--json",
    );
    await until("records of both services are sealed", async () => {
      const [trading, , dispatch] = await node.chains();
      return trading!.records >= 1 && dispatch!.records >= 2;
    });
    const { status, output } = await run.stop();
    assert.equal(status, 0);
    assert.ok(
      output
        .trim()
        .split("\n")
        .every((line) => JSON.parse(line).meter === "m-3"),
    );
    const plain = startGridseal(defer, "meter", "run", join(network.folder, "meters/m-3"), "--frames", capture);
    await until("its state is shown", () => /m-3 healthy: /.test(plain.output));
    assert.equal((await plain.stop()).status, 0);
  });
}

async function readChains(t: TestContext, scene: Scene): Promise<void> {
  const { folder, data, api, meter, chain } = scene;
  const sources = [
    ["--api", api],
    ["--data", data],
  ];
  await t.test("chain list shows the same from a node, its data and an export", async () => {
    const lists = await Promise.all(sources.map((source) => gridsealJson("chain", "list", ...source)));
    const [dispatch] = (lists[1] as { service: number; name: string; records: number }[]).filter(
      ({ service }) => service === 3,
    );
    assert.equal(dispatch!.name, "dispatch");
    assert.ok(dispatch!.records >= 2);
    const [exported] = (await gridsealJson("chain", "list", chain)) as {
      service: number;
      records: number;
      header: string;
    }[];
    assert.equal(exported!.service, 3);
    for (const source of [...sources, [chain]]) assert.match(await prints("chain", "list", ...source), /^ +3 /m);
  });
  await t.test("chain show shows every register that everybody may see", async () => {
    const block = (await gridsealJson("chain", "show", "1", "--service", "trading", "--api", api)) as {
      data: { batches: { records: { registers: { obis: string; unit: string }[] }[] }[] };
    };
    assert.deepEqual(
      block.data.batches[0]!.records[0]!.registers.map(({ obis, unit }) => `${obis} ${unit}`),
      ["1.8.1", "1.8.2", "2.8.1", "2.8.2"].map((register) => `1-0:${register}*255 Wh`),
    );
  });
  await t.test("chain show shows the six parts, and of confidential registers that there are some", async () => {
    for (const source of [...sources.map((options) => [...options, "--service", "dispatch"]), [chain]]) {
      const block = (await gridsealJson("chain", "show", "1", ...source)) as {
        format: { chain: number; height: number };
        data: { batches: { records: { meter: string; registers: object[]; digests: string[] }[] }[] };
      };
      assert.deepEqual([block.format.chain, block.format.height], [3, 1]);
      const record = block.data.batches[0]!.records[0]!;
      assert.equal(record.meter, meter);
      assert.deepEqual(record.registers, []);
      assert.ok(record.digests.length > 0);
      const text = await prints("chain", "show", "1", ...source);
      for (const part of ["1 format", "2 size", "3 header", "4 action counter", "5 data record", "6 lock time"]) {
        assert.ok(text.includes(`\n${part}`) || text.startsWith(part), part);
      }
      assert.match(text, /and \d confidential groups?$/m);
    }
  });
  await t.test("chain export writes the same chain from a node and from its data", async () => {
    const files = sources.map((_, index) => join(folder, `export-${index}`));
    for (const [index, source] of sources.entries()) {
      await gridsealJson("chain", "export", "3", ...source, "-o", files[index]!);
    }
    assert.deepEqual(await readFile(files[0]!), await readFile(files[1]!));
  });
}

async function readProofs(
  t: TestContext,
  { folder, data, api, genesis, meter, chain, contracts, receipt, capture }: Scene,
): Promise<void> {
  await t.test("chain audit finds nothing", async () => {
    for (const source of [
      ["--api", api],
      ["--data", data],
      [chain, contracts],
    ]) {
      const reports = (await gridsealJson("chain", "audit", ...source, "--genesis", genesis)) as {
        firstProblem?: object;
      }[];
      assert.ok(reports.length > 0 && reports.every(({ firstProblem }) => !firstProblem));
      assert.match(await prints("chain", "audit", ...source, "--genesis", genesis), /^dispatch .* good$/m);
    }
  });
  await t.test("receipt get and verify", async () => {
    const get = ["receipt", "get", "--api", api, "--service", "dispatch", "--meter", meter, "--seq", "0"];
    const got = (await gridsealJson(...get, "-o", join(folder, "receipt-2"))) as { height: number; recordHash: string };
    assert.equal(got.height, 1);
    const verified = (await gridsealJson("receipt", "verify", receipt, "--genesis", genesis)) as {
      ok: boolean;
      recordHash: string;
    };
    assert.deepEqual([verified.ok, verified.recordHash], [true, got.recordHash]);
    assert.match(await prints("receipt", "verify", receipt, "--genesis", genesis), /is good/);
  });
  await t.test("record list and get", async () => {
    for (const source of [["--api", api, "--service", "dispatch"], ["--data", data, "--service", "3"], [chain]]) {
      assert.match(await prints("record", "list", ...source, "--meter", meter), /^ *0 .*Z +1 +1 +\d+ registers?/m);
      const later = ["--from", "2026-01-01T00:00:00Z", "--to", "2100-01-01T00:00:00Z", "--format", "csv"];
      assert.match(await prints("record", "list", ...source, "--meter", meter, ...later), /^1,1,[0-9a-f]{16},0,20/m);
      const got = await gridsealJson("record", "get", ...source, "--meter", meter, "--seq", "0");
      assert.deepEqual((got as { height: number }).height, 1);
    }
    for (const source of [
      ["--api", api],
      ["--data", data],
      [chain, contracts, "--genesis", genesis],
    ]) {
      const listed = await prints("meter", "list", ...source, "--state", "valid");
      assert.match(listed, new RegExp(`^${meter} +m-3 +dispatch +valid +\\d+ +20`, "m"));
      assert.match(listed, /^1 meter, as of 20/m);
      assert.match(await prints("meter", "list", ...source, "--silent", "52w"), /^0 meters/m);
    }
    const rows = join(folder, "dispatch.csv");
    await prints("chain", "export", "dispatch", "--api", api, "--format", "csv", "-o", rows);
    assert.match(await readFile(rows, "utf8"), /^1,1,[0-9a-f]{16},0,20/m);
  });
  await t.test("decode prints every frame", async () => {
    const decoded = await gridseal("decode", capture);
    assert.deepEqual([decoded.status, decoded.errors], [0, "2 frames: 2 read\n"]);
    assert.match(decoded.output, /^frame 1 {2}p1 {2}meter /m);
    const lines = (await prints("decode", capture, "--json")).trim().split("\n");
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).ok),
      [true, true],
    );
  });
}

async function explains(subcommand: Arguments): Promise<void> {
  const text = await prints(...subcommand, "--help");
  assert.match(text, new RegExp(`^Usage: gridseal ${subcommand.join(" ")}`));
  // A script for a shell has no other form.
  const isScript = subcommand[0] === "completion";
  if (subcommand.length > 0 && !isScript) assert.match(text, /--json/, subcommand.join(" "));
}

/** Each damage is done to a copy of the node's folder, which must be as it was after the node has refused it. */
async function refuseDamage({ folder, network }: Scene): Promise<void> {
  const node = network.nodes[0]!;
  const other = join(folder, "other/nodes/node-1");
  const cut = (bytes: Buffer) => bytes.subarray(0, Math.floor(bytes.length / 2));
  const flip = (bytes: Buffer) => {
    bytes[bytes.length - 5]! ^= 1;
    return bytes;
  };
  const damages: readonly (readonly [string, (bytes: Buffer) => Uint8Array | Promise<Uint8Array>, RegExp])[] = [
    ["node.json", cut, /node\.json: \$ is no JSON/],
    [
      "node.json",
      (bytes) => Buffer.from(bytes.toString().replace('"batch"', '"bacth"')),
      /node\.json: \$\.bacth is no field/,
    ],
    [
      "node.json",
      (bytes) => Buffer.from(bytes.toString().replace(/"port": \d+/, '"port": "9"')),
      /node\.json: \$\.peers\.listen\.port/,
    ],
    ["genesis.cbor", flip, /genesis\.cbor is no genesis/],
    ["genesis.cbor", cut, /genesis\.cbor is no genesis/],
    [
      "genesis.cbor",
      () => readFile(join(other, "genesis.cbor")),
      /damaged-\d+\/data belongs to another node or network/,
    ],
    ["key.json", (bytes) => Buffer.from(bytes.toString().replace(/"seed": "./, '"seed": "x')), /key\.json has no seed/],
    [
      "key.json",
      (bytes) => Buffer.from(bytes.toString().replace(/"id": "..../, '"id": "0000')),
      /key\.json is damaged/,
    ],
    ["tls.key.pem", cut, /tls\.key\.pem is no PEM file/],
    // Half of it may lack nothing but pages that were given back.
    ["data/data.mdb", (bytes) => bytes.subarray(0, 16_384), /data\.mdb is truncated/],
    ["data/data.mdb", (bytes) => bytes.fill(0x55, 0, 8_192), /data\.mdb is no database/],
  ];
  await inPairs([...damages.entries()], async ([number, [file, damage, reason]]) => {
    const copy = join(folder, `damaged-${number}`);
    await cp(node.folder, copy, { recursive: true });
    await writeFile(join(copy, file), await damage(await readFile(join(copy, file))));
    const before = await contents(copy);
    await complains(["node", "run", join(copy, "node.json")], 1, reason);
    assert.deepEqual(await contents(copy), before, `${file} was touched`);
  });
  const copy = join(folder, "foreign");
  await cp(other, copy, { recursive: true });
  await cp(join(node.folder, "data"), join(copy, "data"), { recursive: true });
  const before = await contents(copy);
  await complains(["node", "run", join(copy, "node.json")], 1, /data belongs to another node/);
  assert.deepEqual(await contents(copy), before);
}

/** The hashes of a folder's files; not of the store's lock, which names processes alone. */
async function contents(folder: string): Promise<Readonly<Record<string, string>>> {
  const hashes: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name === "lock.mdb") continue;
    const path = join(entry.parentPath, entry.name);
    hashes[path] = createHash("sha256")
      .update(await readFile(path))
      .digest("hex");
  }
  return hashes;
}

/** Runs a command that must do well; what it prints. */
async function prints(...args: Arguments): Promise<string> {
  const { status, output, errors } = await gridseal(...args);
  assert.equal(status, 0, `gridseal ${args.join(" ")}: ${errors}`);
  // Beside an answer that was not checked it says so, and nothing else.
  const others = errors.split("\n").filter((line) => line !== "" && !line.startsWith("not checked, as "));
  assert.deepEqual(others, []);
  assert.notEqual(output, "");
  return output;
}

/** Runs a command that must end with this status, its reason in one line and what to do in another, and without a stack. */
async function complains(args: Arguments, status: 1 | 2, reason: RegExp = /./): Promise<void> {
  const outcome = await gridseal(...args);
  const what = `gridseal ${args.join(" ")}: ${outcome.errors}`;
  assert.equal(outcome.status, status, what);
  assert.match(outcome.errors, /^gridseal: \S.*\n {2}\S.*\n$/, what);
  assert.match(outcome.errors.split("\n")[0]!, reason, what);
}

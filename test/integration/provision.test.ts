// A new meter at its console, from nothing to the sealed first record, by the commands that docs/provisioning.md has; and the same
// killed at each step.

import assert from "node:assert/strict";
import { lstat, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { toHex } from "../../src/wire/bytes.js";
import { parseCredential } from "../../src/wire/credential.js";
import { keyId } from "../../src/wire/key.js";
import { signerFromSeed } from "../../tools/crypto/signatures.js";
import { servePty } from "../../tools/emulators/serve.js";
import { EmulatedChip } from "../flash/emulated-chip.js";
import { readNvs } from "../provisioning/nvs/stranger-nvs.js";
import { stillPty, stillPtys } from "../provisioning/still-pty.js";
import { freeBasePort } from "./network.js";
import { cleanUp, type Defer, gridseal, startGridseal, temporaryFolder, until } from "./processes.js";

const PASSWORD = "planted password of the Wi-Fi";
const METER = JSON.stringify({ protocol: "p1", port: { kind: "emulator", seed: 3, interval_ms: 500 } });

/** Runs a command, which must end well; what it prints. */
async function typed(...words: readonly string[]): Promise<string> {
  const { status, output, errors } = await gridseal(...words);
  assert.equal(status, 0, `gridseal ${words.join(" ")}: ${errors}`);
  return output;
}

/** A network of one node that runs, in a folder of its own. */
async function startGrid(defer: Defer) {
  const folder = await temporaryFolder(defer);
  const grid = join(folder, "grid");
  const base = String(await freeBasePort(1));
  await typed("init", grid, "--network", "street", "--nodes", "1", "--meters", "0", "--base-port", base);
  const node = startGridseal(defer, "node", "run", join(grid, "nodes/node-1/node.json"));
  await until("the node answers", () =>
    fetch(`http://127.0.0.1:${Number(base) + 201}/health`).then(
      () => true,
      () => (node.isRunning ? undefined : Promise.reject(new Error("the node has ended"))),
    ),
  );
  return { folder, grid };
}

/** A meter without anything in its folder, and the path of its console. */
async function startNewMeter(defer: Defer, directory: string) {
  const meter = startGridseal(defer, "meter", "run", directory, "--console", "--json");
  const line = await until("the meter has a console", () => /^.*"console":"([^"]+)".*$/m.exec(meter.output));
  return { port: line[1]!, meter };
}

test("a new meter is provisioned at its console, and again nothing changes", {
  timeout: 280_000,
}, async (t: TestContext) => {
  const defer = cleanUp(t);
  const { folder, grid } = await startGrid(defer);
  const { port, meter } = await startNewMeter(defer, join(folder, "meter"));
  await typed("authority", "register", "device", "meter-77", "--lot", "L1", "--network", grid);
  const bench = join(folder, "bench");
  const wifi = join(folder, "wifi");
  await writeFile(wifi, `shed\n${PASSWORD}\n`, { mode: 0o600 });
  const provision = async (...more: readonly string[]) => {
    const outcome = await gridseal(
      ...["provision", "--network", grid, "--port", port, "--id", "meter-77", "--lot", "L1", "--bench", bench],
      ...["--meter", METER, "--wifi", wifi, ...more],
    );
    assert.ok(!(outcome.output + outcome.errors + meter.output + meter.errors).includes(PASSWORD), "nobody says it");
    return outcome;
  };

  const dry = await provision("--dry-run");
  assert.equal(dry.status, 0, dry.errors);
  assert.match(
    dry.output,
    /meter-77, MAC 02[0-9a-f]{10}, .* lacks configuration, certificate, Wi-Fi, credential\nnothing/,
  );
  await assert.rejects(readdir(bench));

  const first = await provision();
  assert.equal(first.status, 0, first.errors);
  assert.match(
    first.output,
    /^meter-77, .* provisioned, the meter has verified the receipt of its first record\nnext: gridseal authority assign meter-77 /,
  );
  for (const told of ["writing its configuration", "writing its credential", "its request is good", "it restarts"])
    assert.match(first.errors, new RegExp(told));

  const again = JSON.parse((await provision("--json")).output) as { type: string; id: string; meter: string };
  assert.deepEqual([again.type, again.id], ["provisioned", "meter-77"]);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const isOpen = entry.isFile() && ((await lstat(path)).mode & 0o077) !== 0;
    assert.ok(!isOpen || !(await readFile(path)).includes(PASSWORD), `${path} is for others to read`);
  }
  const rows = (await typed("authority", "list", "--network", grid, "--json")).trim().split("\n");
  assert.equal(rows.length, 1, rows.join("\n"));
  const shown = await typed("authority", "show", "meter-77", "--network", grid);
  assert.match(shown, new RegExp(again.meter));
  assert.match(shown, /device/);

  const other = await gridseal("provision", "--network", grid, "--port", port, "--id", "meter-78", "--bench", bench);
  assert.equal(other.status, 2);
  assert.match(other.errors, /is meter-77 already/);
  const elsewhere = join(folder, "other-bench");
  const second = await gridseal(
    ...["provision", "--network", grid, "--port", port, "--id", "meter-78", "--bench", elsewhere, "--meter", METER],
  );
  assert.equal(second.status, 1);
  assert.match(second.errors, /the authority refuses: /);
});

test("a device that takes nothing ends the command with what to do, and the port serves the next one", {
  timeout: 120_000,
  skip: stillPtys,
}, async (t) => {
  const defer = cleanUp(t);
  const folder = await temporaryFolder(defer);
  const grid = join(folder, "grid");
  await typed("init", grid, "--network", "street", "--nodes", "1", "--meters", "0");
  const pty = await stillPty(t);
  const words = ["provision", "--network", grid, "--port", pty.path, "--id", "m-1", "--bench", join(folder, "bench")];
  const still = await gridseal(...words);
  assert.equal(still.status, 1);
  assert.match(still.errors, /takes nothing: \d+ bytes have waited/);
  assert.match(still.errors, /Reset the device/);
  await pty.goOn();
  const next = startGridseal(defer, ...words);
  await until("the port is open again", () => next.errors.includes("looking for a meter"));
  pty.kill();
  const gone = await next.ended;
  assert.equal(gone.status, 1);
  assert.match(gone.errors, /is gone|takes nothing/);
});

test("killed at each step and run again: one ID, one credential, and it ends provisioned", {
  timeout: 280_000,
}, async (t) => {
  const defer = cleanUp(t);
  const { folder, grid } = await startGrid(defer);
  const { port } = await startNewMeter(defer, join(folder, "meter"));
  for (const id of ["a-1", "a-2", "a-3"]) await typed("authority", "register", "device", id, "--network", grid);
  const list = join(folder, "devices.csv");
  await writeFile(list, "id,place\na-1,11\na-2,12\na-3,13\n");
  const words = ["provision", "--network", grid, "--port", port, "--list", list, "--bench", join(folder, "bench")];
  const steps = [
    "looking",
    " is a-1, key",
    "writing its configuration",
    "writing its certificate",
    "signs its request",
  ];
  for (const step of [...steps, "goes to the authority", "writing its credential", "it restarts"]) {
    const run = startGridseal(defer, ...words, "--meter", METER);
    let errors = "";
    await until(step, () => {
      errors = run.errors;
      // A kill before may have come too late: then this step is done already.
      return errors.includes(step) || errors.includes("it restarts") || !run.isRunning;
    });
    run.signal("SIGKILL");
    const { status } = await run.ended;
    assert.equal(status, null, `${step}: ${errors}`);
  }
  const last = await gridseal(...words, "--meter", METER, "--json");
  assert.equal(last.status, 0, last.errors);
  const { type, id, meter } = JSON.parse(last.output) as { type: string; id: string; meter: string };
  assert.deepEqual([type, id], ["provisioned", "a-1"]);
  assert.deepEqual((await readdir(join(folder, "bench"))).filter((name) => name.endsWith(".json")).length, 1);
  const log = await typed("authority", "export", "-o", join(folder, "log"), "--what", "credentials", "--network", grid);
  const rows = (await readFile(join(folder, "log"), "utf8")).trim().split("\r\n");
  assert.equal(rows.length, 2, log);
  assert.match(rows[1]!, new RegExp(meter));
});

test("a registrar without the register sends requests as files, and goes on with the answers", {
  timeout: 280_000,
}, async (t) => {
  const defer = cleanUp(t);
  const { folder, grid } = await startGrid(defer);
  const genesis = join(grid, "genesis.cbor");
  const [key, file] = [join(folder, "fitter.json"), (name: string) => join(folder, name)];
  await typed("authority", "register", "organisation", "firm", "--name", "Firm", "--network", grid);
  await typed("authority", "register", "participant", "fitter", "--organisation", "firm", "--network", grid);
  const asked = ["--genesis", genesis, "--key", key, "-o", file("fitter.request")];
  await typed("request", "make", "--id", "fitter", "--role", "registrar", ...asked);
  await typed("authority", "batch", file("fitter.request"), "-o", file("fitter.answers"), "--network", grid);
  const limits = ["--lot", "L7", "--services", "1,2,3,4,5", "--devices", "1", "--until", "2099-01-01"];
  await typed("authority", "registrar", "limit", "fitter", ...limits, "--network", grid);
  const { port } = await startNewMeter(defer, file("meter"));
  const { mqtt } = JSON.parse(await readFile(join(grid, "nodes/node-1/node.json"), "utf8"));
  const broker = `mqtt://127.0.0.1:${mqtt.listen.port}`;
  const words = [
    ...["provision", "--genesis", genesis, "--key", key, "--port", port, "--id", "b-1", "--lot", "L7"],
    ...["--broker", broker, "--ca", join(grid, "authority/ca.cert.pem"), "--bench", file("bench"), "--meter", METER],
  ];
  const waiting = await typed(...words);
  assert.match(waiting, /its request waits in .*\.request\nnext: cat .* run this again with --answers/);
  const [request] = (await readdir(file("bench"))).filter((name) => name.endsWith(".request"));
  await typed("authority", "batch", join(file("bench"), request!), "-o", file("answers"), "--network", grid);
  assert.match(await typed(...words, "--answers", file("answers")), /^b-1, .* provisioned/);
});

test("a key that is made here goes into a chip's NVS partition, and stays nowhere else", {
  timeout: 280_000,
}, async (t) => {
  const defer = cleanUp(t);
  const folder = await temporaryFolder(defer);
  const grid = join(folder, "grid");
  await typed("init", grid, "--network", "street", "--nodes", "1", "--meters", "0");
  for (const id of ["c-1", "c-2"]) await typed("authority", "register", "device", id, "--network", grid);
  const chip = new EmulatedChip({ chipId: 5, flashBytes: 4 * 1_048_576 });
  const line = await servePty((onBytes) => ({ close() {}, write: (bytes) => onBytes(chip.receive(bytes)) }));
  defer(() => line.close());
  const words = ["provision", "--mode", "inject", "--network", grid, "--bench", join(folder, "bench")];
  const first = await typed(...words, "--id", "c-1", "--port", line.path, "--json");
  const { type, mac, meter } = JSON.parse(first) as { type: string; mac: string; meter: string };
  assert.deepEqual([type, mac], ["stored", "112233445566"]);
  const values = readNvs(Uint8Array.from(chip.flash.subarray(0x9000, 0xf000)));
  const seed = values.get("gridseal/seed") as Uint8Array;
  assert.equal(toHex(keyId(signerFromSeed(seed).key)), meter);
  assert.equal(toHex(keyId(parseCredential(values.get("gridseal/credential") as Uint8Array).key)), meter);
  for (const name of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!name.isFile()) continue;
    const bytes = await readFile(join(name.parentPath, name.name));
    assert.ok(!bytes.includes(Buffer.from(seed)) && !bytes.includes(toHex(seed)), `the seed is in ${name.name}`);
  }
  const list = join(folder, "list.csv");
  await writeFile(list, "id\nc-2\n");
  await typed(...words, "--list", list, "--out", join(folder, "images"));
  const image = Uint8Array.from(await readFile(join(folder, "images/c-2.nvs.bin")));
  assert.deepEqual([...readNvs(image).keys()].sort(), [...values.keys()].sort());
  const table = join(folder, "table.csv");
  await writeFile(table, "key,type,encoding,value\nmaker,namespace,,\nserial,data,string,A-17\n");
  await typed("nvs", "build", table, "-o", join(folder, "maker.bin"));
  const made = readNvs(Uint8Array.from(await readFile(join(folder, "maker.bin"))));
  assert.deepEqual([...made], [["maker/serial", "A-17"]]);
});

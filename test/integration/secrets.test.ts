// Secrets that are planted, and looked for where others could read them: command lines, outputs, error texts, files that are not their
// owner's alone, and the core files of an authority's service, a node, a meter and a bench that crash: passphrase, keys, session tokens.

import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { lstat, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { readNvs } from "../provisioning/nvs/stranger-nvs.js";
import { freeBasePort } from "./network.js";
import { childrenOf, cleanUp, program, type Running, start, temporaryFolder, until } from "./processes.js";

const PASSPHRASE = "planted passphrase of the authority";
const PORT_KEY = "b1a9c0ffee5eed00b1a9c0ffee5eed00";
/** Of no holder: what a node is shown and refuses stays with it no less than what it takes. */
const TOKEN = `${"cGxhbnRlZA".repeat(8)}.${"dG9rZW4".repeat(8)}`;
/** Meters whose keys a bench makes when it crashes. */
const INJECTED = 1_000;
const withoutCores =
  process.platform !== "linux" ||
  !(await readFile("/proc/sys/kernel/core_pattern", "latin1")).startsWith("core") ||
  /^Max core file size +0 +0 /m.test(await readFile("/proc/self/limits", "latin1"));

test("no planted secret stands where others could read it", { timeout: 280_000 }, async (t) => {
  const defer = cleanUp(t);
  const folder = await temporaryFolder(defer);
  const said: string[] = [];
  /** In a folder of its own for its core file, with a passphrase at descriptor 3. */
  const run = async (where: string, ...parameters: readonly string[]): Promise<Running> => {
    const cwd = join(folder, "cores", where);
    await mkdir(cwd, { recursive: true });
    await writeFile(join(folder, "passphrase"), `${PASSPHRASE}\n`, { mode: 0o600 });
    const script = 'ulimit -c unlimited 2>/dev/null; cd "$1"; exec 3< "$2"; shift 2; exec "$@"';
    const given = ["-c", script, "bash", cwd, join(folder, "passphrase"), process.execPath, program, ...parameters];
    return start(defer, "bash", given);
  };
  const ended = async (running: Running) => {
    const outcome = await running.ended;
    said.push(outcome.output, outcome.errors);
    return outcome;
  };
  const good = async (...parameters: readonly string[]) => {
    const { status, errors } = await ended(await run("commands", ...parameters));
    assert.equal(status, 0, errors);
  };
  const [authority, grid] = [join(folder, "authority"), join(folder, "grid")];
  await good("authority", "init", authority, "--name", "street", "--passphrase-fd", "3");
  const ports = ["--base-port", String(await freeBasePort(1))];
  const made = ["--network", "street", "--nodes", "1", "--meters", "1", "--authority", authority, ...ports];
  await good("init", grid, ...made, "--passphrase-fd", "3");
  await good("authority", "key", join(folder, "second.json"), "--passphrase-fd", "3");
  const [node, meter] = [join(grid, "nodes/node-1"), join(grid, "meters/meter-1")];
  const path = join(meter, "configuration.json");
  const configuration = JSON.parse(await readFile(path, "utf8")) as { meter: object };
  const withKey = (key: string, protocol = "hdlc") =>
    writeFile(
      path,
      JSON.stringify({ ...configuration, meter: { ...configuration.meter, protocol, keys: { encryption: key } } }),
    );

  await t.test("of a port key that is wrong nothing is said but that it is", async () => {
    await withKey(`${PORT_KEY}zz`);
    const refused = await ended(await run("refused", "meter", "run", meter));
    assert.equal(refused.status, 2);
    assert.match(refused.errors, /keys/);
    const wrong = await ended(
      await run("refused", "authority", "key", join(folder, "second.json"), "--passphrase-fd", "3"),
    );
    assert.equal(wrong.status, 1);
  });

  await withKey(PORT_KEY);
  const service = await run(
    "service",
    "authority",
    "serve",
    "--network",
    grid,
    "--authority",
    authority,
    "--host",
    "localhost",
    "--port",
    "0",
  );
  const running = await run("node", "node", "run", node);
  const reader = await run("meter", "meter", "run", meter, "--emulator", "--json");
  await until("the service listens", () => service.output.includes("takes enrolments"));
  await until("the meter says how it is", () => reader.output.includes("state"));
  const list = join(folder, "list.csv");
  await writeFile(list, `id\n${Array.from({ length: INJECTED }, (_, index) => `injected-${index}\n`).join("")}`);
  await good("authority", "import", list, "--network", grid, "--authority", authority);
  const [bench, images] = [join(folder, "bench"), join(folder, "images")];
  const injecting = await run(
    "bench",
    ...["provision", "--mode", "inject", "--network", grid, "--authority", authority, "--list", list],
    ...["--bench", bench, "-o", images],
  );
  const injected = () => filesIn(images, (name) => name.endsWith(".nvs.bin")).catch(() => []);
  await until("the bench has made some keys", async () => (await injected()).length > 3);
  const api = JSON.parse(await readFile(join(node, "node.json"), "utf8")).api as { readonly port: number };
  for (const path of ["records/1", "events"]) {
    const asked = await fetch(`http://127.0.0.1:${api.port}/${path}`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    said.push(await asked.text());
  }
  const crashing = [service, running, reader, injecting];
  assert.ok(injecting.isRunning, "the bench has keys to make yet");
  const children = (await Promise.all(crashing.map(({ pid }) => childrenOf(pid)))).flat();
  const lines = await Promise.all(
    crashing.map(({ pid }) => readFile(`/proc/${pid}/cmdline`, "latin1").catch(() => "")),
  );
  said.push(...lines, ...children.map(({ command }) => command));
  const secrets = await plantedIn({ authority, node, meter });

  await t.test("core files have no memory", { skip: withoutCores && "no core files here" }, async () => {
    for (const { pid } of children) process.kill(pid, "SIGABRT");
    for (const each of crashing) if (each.isRunning) each.signal("SIGABRT");
    await Promise.all(crashing.map(ended));
    const cores = await filesIn(join(folder, "cores"), (name) => name.startsWith("core"));
    assert.ok(cores.length >= crashing.length, `${cores.length} core files`);
    const seeds = await Promise.all((await injected()).map(seedIn));
    assert.ok(seeds.length > 3 && seeds.every(({ length }) => length === 32));
    for (const core of await Promise.all(cores.map((file) => readFile(file)))) {
      const memory = memoryIn(core);
      for (const secret of [...secrets, ...seeds]) assert.equal(memory.indexOf(secret), -1);
    }
  });

  await t.test("nor do outputs, command lines, and files that others may read", async () => {
    for (const each of crashing) if (each.isRunning) await each.stop();
    const open = await filesIn(folder, () => true, 0o077);
    const texts = await Promise.all(open.map((file) => readFile(file)));
    for (const text of [...said.map((each) => Buffer.from(each, "latin1")), ...texts]) {
      for (const secret of secrets) assert.equal(text.indexOf(secret), -1);
    }
  });
});

/** What a core file has of a process's memory (ELF64, PT_LOAD); its notes hold the registers of threads, which nothing keeps out. */
function memoryIn(core: Buffer): Buffer {
  assert.equal(core.toString("latin1", 0, 6), "\x7fELF\x02\x01", "a core file of 64 bits, little-endian");
  const [table, size, count] = [Number(core.readBigUInt64LE(0x20)), core.readUInt16LE(0x36), core.readUInt16LE(0x38)];
  const heads = Array.from({ length: count }, (_, index) => table + index * size);
  const loads = heads.filter((head) => core.readUInt32LE(head) === 1);
  assert.ok(loads.length > 0, "it lists what the process had");
  const at = (head: number, field: number) => Number(core.readBigUInt64LE(head + field));
  return Buffer.concat(loads.map((head) => core.subarray(at(head, 8), at(head, 8) + at(head, 32))));
}

interface Places {
  readonly authority: string;
  readonly node: string;
  readonly meter: string;
}

/** Each secret as bytes, and in hex where it is written so. */
async function plantedIn({ authority, node, meter }: Places): Promise<readonly Buffer[]> {
  const seedOf = async (file: string) => (JSON.parse(await readFile(file, "utf8")) as { seed: string }).seed;
  const hex = [
    await seedOf(join(authority, "issuing.json")),
    await seedOf(join(node, "key.json")),
    (await readFile(join(meter, "keyvalue/seed"))).toString("hex"),
    PORT_KEY,
  ];
  const pems = await Promise.all(
    [join(authority, "ca.key.pem"), join(node, "tls.key.pem")].map((file) => readFile(file, "latin1")),
  );
  const scalars = pems.map((pem) => Buffer.from(createPrivateKey(pem).export({ format: "jwk" }).d!, "base64url"));
  return [
    ...hex.flatMap((text) => [Buffer.from(text), Buffer.from(text, "hex")]),
    ...pems.map((pem) => Buffer.from(pem.split("\n")[1]!)),
    ...scalars,
    Buffer.from(PASSPHRASE),
    Buffer.from(TOKEN),
    Buffer.from(TOKEN.split(".")[0]!, "base64url"),
  ];
}

/** The key that a bench has put into an image. */
async function seedIn(image: string): Promise<Buffer> {
  return Buffer.from(readNvs(await readFile(image)).get("gridseal/seed") as Uint8Array);
}

/** Files below a folder by name; with a mask those whose mode has any of it. */
async function filesIn(root: string, isWanted: (name: string) => boolean, mask?: number): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !isWanted(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    if (mask === undefined || ((await lstat(path)).mode & mask) !== 0) found.push(path);
  }
  return found;
}

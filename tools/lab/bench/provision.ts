// `npm run bench:provision`: a maker's bench with headless meters. Makes a network, a table of devices, and for each a meter without
// anything on a pseudo-terminal; provisions all by the commands that a maker types; says how long it took, and on which machine.

import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openPort } from "../../emulators/port.js";
import { servePty } from "../../emulators/serve.js";
import { startMeter } from "../../meters/meter.js";
import { parsePort } from "../../meters/ports/port-configuration.js";
import { endAllChildren, watchChild } from "../rig/children.js";
import { startServer, waitFor } from "../rig/server-process.js";
import { describeMachine } from "./machine.js";

const program = fileURLToPath(new URL("../../cli/gridseal.js", import.meta.url));
const METER = JSON.stringify({ protocol: "p1", port: { kind: "emulator", seed: 1, interval_ms: 1000 } });
/** A machine that is busy with other things takes long. */
const PATIENCE_S = "600";
const METERS_MAX = 10_000;
const AT_ONCE_MAX = 64;

interface Plan {
  readonly meters: number;
  readonly atOnce: number;
  readonly until: "sealed" | "stored";
  readonly basePort: number;
}

function planFrom(words: readonly string[]): Plan {
  const options = {
    meters: { type: "string", default: "500" },
    "at-once": { type: "string", default: "8" },
    until: { type: "string", default: "sealed" },
    "base-port": { type: "string", default: "27500" },
  } as const;
  const { values } = parseArgs({ args: [...words], options });
  const count = (text: string, most: number): number => {
    const number = Number(text);
    if (!Number.isInteger(number) || number < 1 || number > most) throw new RangeError(`${text} is not 1 to ${most}`);
    return number;
  };
  return {
    meters: count(values.meters, METERS_MAX),
    atOnce: count(values["at-once"], AT_ONCE_MAX),
    until: values.until === "stored" ? "stored" : "sealed",
    basePort: count(values["base-port"], 65_000),
  };
}

async function run(plan: Plan): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "gridseal-provision-"));
  const grid = join(folder, "grid");
  try {
    console.log(JSON.stringify(await describeMachine(folder)));
    await typed("init", grid, "--network", "maker", "--nodes", "1", "--meters", "0", "--base-port", `${plan.basePort}`);
    const ids = Array.from({ length: plan.meters }, (_, index) => `maker-${index + 1}`);
    await writeFile(join(folder, "devices.csv"), `id,lot\n${ids.map((id) => `${id},L1\n`).join("")}`);
    await writeFile(join(folder, "meters.csv"), `id\n${ids.map((id) => `${id}\n`).join("")}`);
    await typed("authority", "import", join(folder, "devices.csv"), "--network", grid);
    const node = join(grid, "nodes/node-1/node.json");
    const server = startServer("node-1", process.execPath, [program, "node", "run", node], join(folder, "node.log"));
    const health = `http://127.0.0.1:${plan.basePort + 201}/health`;
    await waitFor("the node", [server], 60, async () => (await fetch(health).catch(() => undefined))?.ok ?? false);
    const started_ms = performance.now();
    const meters = new Set<string>();
    for (let from = 0; from < plan.meters; from += plan.atOnce) {
      const names = ids.slice(from, from + plan.atOnce);
      for (const { type, id } of await boards(folder, names, plan)) {
        if (type !== (plan.until === "sealed" ? "provisioned" : "stored")) throw new Error(`${id} is ${type}`);
        meters.add(id);
      }
      const took_s = (performance.now() - started_ms) / 1_000;
      console.log(`${meters.size} meters, ${took_s.toFixed(0)} s, ${(took_s / meters.size).toFixed(2)} s a meter`);
    }
    if (meters.size !== plan.meters) throw new Error(`${meters.size} IDs for ${plan.meters} meters`);
    await server.stop();
  } finally {
    await endAllChildren();
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

interface Made {
  readonly type: string;
  readonly id: string;
}

/** So many new boards at the bench's ports, provisioned by one command, and unplugged. */
async function boards(folder: string, names: readonly string[], plan: Plan): Promise<readonly Made[]> {
  const plugged = await Promise.all(names.map((name) => plug(join(folder, "boards", name))));
  try {
    const ports = plugged.flatMap(({ path }) => ["--port", path]);
    const text = await typed(
      ...[
        "provision",
        "--network",
        join(folder, "grid"),
        "--list",
        join(folder, "meters.csv"),
        "--lot",
        "L1",
        "--json",
      ],
      ...[
        "--bench",
        join(folder, "bench"),
        "--meter",
        METER,
        "--until",
        plan.until,
        "--patience",
        PATIENCE_S,
        ...ports,
      ],
    );
    return text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  } finally {
    await Promise.all(plugged.map(({ unplug }) => unplug()));
  }
}

async function plug(directory: string) {
  await mkdir(directory, { recursive: true });
  let show: (bytes: Uint8Array) => void = () => {};
  const meter = await startMeter({
    name: "board",
    directory,
    openPort: (configured, onBytes, line) => openPort(parsePort(configured), onBytes, () => {}, line),
    onConsole: (bytes) => show(bytes),
    onLog(level, message) {
      if (level === "error") console.error(`${directory}: ${message}`);
    },
  });
  const line = await servePty((onBytes) => {
    show = onBytes;
    return { close() {}, write: meter.type };
  });
  return {
    path: line.path,
    async unplug() {
      meter.kill();
      await meter.exit;
      await line.close();
    },
  };
}

function typed(...words: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [program, ...words], { stdio: ["ignore", "pipe", "pipe"] });
  watchChild(child);
  let [output, errors] = ["", ""];
  child.stdout.on("data", (bytes) => {
    output += bytes;
  });
  child.stderr.on("data", (bytes) => {
    errors += bytes;
  });
  return new Promise((resolve, reject) => {
    child.once("close", (status) => (status === 0 ? resolve(output) : reject(new Error(errors.slice(-2_000)))));
  });
}

await run(planFrom(process.argv.slice(2)));

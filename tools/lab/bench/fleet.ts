// `npm run bench:fleet`: many meters at once on four nodes, each with its own connection,
// publishing seldom, as meters do. What it shows is that all records are sealed and every receipt
// is verified, and what that costs the nodes.

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Command, CommanderError } from "commander";
import { reasonOf } from "../../errors.js";
import { whole } from "../../terminal/arguments.js";
import { pairs, printLines, table } from "../../terminal/output.js";
import { endAllChildren } from "../rig/children.js";
import { type Cluster, createCluster } from "../rig/cluster.js";
import { readProcessUsage, readResident_bytes } from "../rig/process-usage.js";
import type { FleetOrder, FleetResult } from "./fleet-worker.js";
import { startWorker } from "./worker.js";

interface FleetOptions {
  readonly meters: number;
  readonly every: number;
  readonly seconds: number;
  readonly nodes: number;
}

const RESULTS_FOLDER = "bench-results";
/** Each child has a limit of open files of its own. */
const METERS_PER_CHILD = 10_000;
const CONNECTS_PER_S = 400;
const MEBIBYTE = 1_048_576;

const program = new Command("fleet")
  .description("connect many meters to a cluster, each publishing seldom, and verify every receipt")
  .option("--meters <count>", "meters, each with a connection of its own", whole(1, 100_000), 20_000)
  .option("--every <seconds>", "between two records of a meter", whole(1, 86_400), 60)
  .option("--seconds <count>", "how long they publish once all are connected", whole(1, 86_400), 180)
  .option("--nodes <count>", "nodes of the cluster", whole(1, 16), 4)
  .exitOverride();

async function run(options: FleetOptions): Promise<void> {
  const results = resolve(RESULTS_FOLDER);
  await mkdir(results, { recursive: true });
  const folder = await mkdtemp(join(results, "run-"));
  try {
    const cluster = await createCluster({ folder, nodes: options.nodes, chains: 1, meters: 1 });
    await cluster.start();
    const before = cluster.nodes.map(({ pid }) => readProcessUsage(pid)?.cpu_s ?? 0);
    const parts = await Promise.all(ordersOf(options, cluster, folder).map(carryOut));
    const memory_mib = cluster.nodes.map(({ pid }) => Math.round((readResident_bytes(pid) ?? 0) / MEBIBYTE));
    const cpu_s = cluster.nodes.map(({ pid }, index) => (readProcessUsage(pid)?.cpu_s ?? 0) - before[index]!);
    const [chain] = await cluster.agreedChains();
    await cluster.stop();
    report(options, parts, chain?.records ?? 0, memory_mib, cpu_s);
  } finally {
    await endAllChildren();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function ordersOf(options: FleetOptions, cluster: Cluster, folder: string): readonly FleetOrder[] {
  const children = Math.ceil(options.meters / METERS_PER_CHILD);
  const share = Math.ceil(options.meters / children);
  return Array.from({ length: children }, (_, index) => ({
    genesis: cluster.genesis,
    authority: join(folder, "network/authority/key.json"),
    service: cluster.services[0]!,
    host: cluster.host,
    ports: cluster.nodes.map(({ mqttPort }) => mqttPort),
    meters: Math.min(share, options.meters - index * share),
    first: 1 + index * share,
    every_s: options.every,
    seconds: options.seconds,
    connects_per_s: Math.ceil(CONNECTS_PER_S / children),
  }));
}

async function carryOut(order: FleetOrder): Promise<FleetResult> {
  const worker = startWorker<FleetOrder, FleetResult>("fleet-worker");
  try {
    return await worker.ask(order);
  } finally {
    await worker.end();
  }
}

function report(
  options: FleetOptions,
  parts: readonly FleetResult[],
  sealed: number,
  memory_mib: readonly number[],
  cpu_s: readonly number[],
): void {
  const sum = (name: "connected" | "published" | "verified") => parts.reduce((total, part) => total + part[name], 0);
  const refused = parts.flatMap(({ refused }) =>
    Object.entries(refused).map(([reason, count]) => `${count} ${reason}`),
  );
  const failures = parts.flatMap((part) => part.failures);
  const nodes = memory_mib.map((memory, index) => [index + 1, memory, Math.round(cpu_s[index]!)]);
  printLines([
    ...pairs([
      ["meters", options.meters],
      ["connected to the end", sum("connected")],
      ["records published", sum("published")],
      ["records sealed", sealed],
      ["receipts verified", sum("verified")],
      ["records a second", Math.round(options.meters / options.every)],
      [
        "publish to receipt, ms",
        parts.map((part) => `p50 ${part.p50_ms.toFixed(0)} p99 ${part.p99_ms.toFixed(0)}`).join(", "),
      ],
    ]),
    "",
    ...table(["node", "memory, MiB", "CPU, s"], nodes),
    ...[...refused, ...failures].map((fault) => `FAULT ${fault}`),
  ]);
  const isWhole =
    sum("connected") === options.meters && sum("verified") === sum("published") && sealed === sum("published");
  if (!isWhole || failures.length > 0 || refused.length > 0) process.exitCode = 1;
}

try {
  await run(program.parse().opts<FleetOptions>());
} catch (error) {
  if (!(error instanceof CommanderError)) process.stderr.write(`fleet: ${reasonOf(error)}\n`);
  process.exitCode = error instanceof CommanderError ? error.exitCode : 1;
}

// `npm run bench:fleet`: many meters at once on four nodes, each with its own connection,
// publishing seldom, as meters do, each at its own time of the period; then all of them at once. What
// it shows is that all records are sealed and every receipt is verified, and what that costs the nodes.

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Command, CommanderError } from "commander";
import { reasonOf } from "../../errors.js";
import { whole } from "../../terminal/arguments.js";
import { pairs, printLines, table } from "../../terminal/output.js";
import { endAllChildren } from "../rig/children.js";
import { type Cluster, createCluster } from "../rig/cluster.js";
import { readProcessUsage, readResident_bytes } from "../rig/process-usage.js";
import type { FleetOrder, FleetPlan, FleetResult } from "./fleet-worker.js";
import { startWorker } from "./worker.js";

interface FleetOptions {
  readonly meters: number;
  readonly every: number;
  readonly seconds: number;
  readonly nodes: number;
  readonly verifiers?: number;
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
  .option("--verifiers <count>", "nodes that verify a record before it is sealed", whole(1, 16))
  .exitOverride();

async function run(options: FleetOptions): Promise<void> {
  const results = resolve(RESULTS_FOLDER);
  await mkdir(results, { recursive: true });
  const folder = await mkdtemp(join(results, "run-"));
  const { nodes, verifiers } = options;
  try {
    const cluster = await createCluster({ folder, nodes, verifiers, chains: 1, meters: 1 });
    await cluster.start();
    const before = cluster.nodes.map(({ pid }) => readProcessUsage(pid)?.cpu_s ?? 0);
    const { spread, burst } = await publish(ordersOf(options, cluster, folder));
    const memory_mib = cluster.nodes.map(({ pid }) => Math.round((readResident_bytes(pid) ?? 0) / MEBIBYTE));
    const cpu_s = cluster.nodes.map(({ pid }, index) => (readProcessUsage(pid)?.cpu_s ?? 0) - before[index]!);
    const [chain] = await cluster.agreedChains();
    await cluster.stop();
    report({ options, spread, burst, sealed: chain?.records ?? 0, memory_mib, cpu_s });
  } finally {
    await endAllChildren();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function ordersOf(options: FleetOptions, cluster: Cluster, folder: string): readonly FleetPlan[] {
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

async function publish(plans: readonly FleetPlan[]): Promise<Pick<Outcome, "spread" | "burst">> {
  const workers = plans.map(() => startWorker<FleetOrder, FleetResult>("fleet-worker"));
  try {
    const spread = await Promise.all(workers.map((worker, index) => worker.ask({ order: "spread", ...plans[index]! })));
    const burst = await Promise.all(workers.map((worker) => worker.ask({ order: "burst" })));
    return { spread, burst };
  } finally {
    await Promise.all(workers.map((worker) => worker.end()));
  }
}

interface Outcome {
  readonly options: FleetOptions;
  /** of each child, while meters publish at their own times, and when all do at once */
  readonly spread: readonly FleetResult[];
  readonly burst: readonly FleetResult[];
  readonly sealed: number;
  readonly memory_mib: readonly number[];
  readonly cpu_s: readonly number[];
}

function report({ options, spread, burst, sealed, memory_mib, cpu_s }: Outcome): void {
  const parts = [...spread, ...burst];
  const sum = (name: "published" | "verified") => parts.reduce((total, part) => total + part[name], 0);
  const connected = burst.reduce((total, part) => total + part.connected, 0);
  const refused = burst.flatMap(({ refused }) =>
    Object.entries(refused).map(([reason, count]) => `${count} ${reason}`),
  );
  const failures = burst.flatMap((part) => part.failures);
  const nodes = memory_mib.map((memory, index) => [index + 1, memory, Math.round(cpu_s[index]!)]);
  printLines([
    ...pairs([
      ["meters", options.meters],
      ["connected to the end", connected],
      ["records published", sum("published")],
      ["records sealed", sealed],
      ["receipts verified", sum("verified")],
      ["records a second", Math.round(options.meters / options.every)],
      ["publish to receipt, ms", latenciesOf(spread)],
      ["the same, all at once, ms", latenciesOf(burst)],
    ]),
    "",
    ...table(["node", "memory, MiB", "CPU, s"], nodes),
    ...[...refused, ...failures].map((fault) => `FAULT ${fault}`),
  ]);
  const isWhole = connected === options.meters && sum("verified") === sum("published") && sealed === sum("published");
  if (!isWhole || failures.length > 0 || refused.length > 0) process.exitCode = 1;
}

/** Of each child. */
function latenciesOf(parts: readonly FleetResult[]): string {
  return parts
    .map(({ p50_ms, p99_ms, max_ms }) => `p50 ${p50_ms.toFixed(0)} p99 ${p99_ms.toFixed(0)} max ${max_ms.toFixed(0)}`)
    .join(", ");
}

try {
  await run(program.parse().opts<FleetOptions>());
} catch (error) {
  if (!(error instanceof CommanderError)) process.stderr.write(`fleet: ${reasonOf(error)}\n`);
  process.exitCode = error instanceof CommanderError ? error.exitCode : 1;
}

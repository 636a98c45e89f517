// `npm run bench:sweep`: how what a cluster seals depends on the number of nodes, of those who
// verify, of chains, of registers in a record, and of records that a chain holds. Writes tables and plots to
// bench-results/. Rates depend on what else the machine does; the CPU time of a record does not.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Command, CommanderError } from "commander";
import { faults } from "../../../src/wire/quorum.js";
import { reasonOf } from "../../errors.js";
import { createNetwork } from "../../provisioning/network.js";
import { whole } from "../../terminal/arguments.js";
import { printLines, table } from "../../terminal/output.js";
import { endAllChildren } from "../rig/children.js";
import { createCluster } from "../rig/cluster.js";
import { REGISTERS_DEFAULT } from "../rig/records.js";
import { makeHistory } from "./history-maker.js";
import { limitOf, measureCluster } from "./measure-cluster.js";
import { drawPlot, type Plot } from "./plot.js";
import { createVerifyRate } from "./verify-rate.js";

interface SweepOptions {
  readonly seconds: number;
  readonly meters: number;
  readonly only?: string;
  readonly stored: number;
}

/** What one point of a sweep came to. */
interface Measured {
  readonly x: number;
  readonly sealed_per_s: number;
  readonly p99_ms: number;
  /** of all nodes together, for one record */
  readonly cpu_us: number;
  /** of what verification alone would allow */
  readonly ofLimit: number;
}

interface PointPlan {
  readonly nodes: number;
  readonly chains: number;
  readonly registers: number;
  /** as many as a network has where nobody says otherwise */
  readonly verifiers?: number;
}

interface Sweep {
  readonly name: string;
  readonly xName: string;
  readonly values: readonly number[];
  /** cluster and load of a point */
  plan(x: number): PointPlan;
}

const RESULTS_FOLDER = "bench-results";
const WARMUP_S = 4;
const VERIFYING_S = 3;
const HISTORY_METERS = 200;
const usual = { nodes: 4, chains: 1, registers: REGISTERS_DEFAULT } as const;

const sweeps: readonly Sweep[] = [
  { name: "nodes", xName: "nodes", values: [4, 7, 10, 16], plan: (nodes) => ({ ...usual, nodes }) },
  { name: "chains", xName: "chains", values: [1, 2, 4, 8], plan: (chains) => ({ ...usual, chains }) },
  {
    name: "registers",
    xName: "registers in a record",
    values: [5, 20, 80],
    plan: (registers) => ({ ...usual, registers }),
  },
  {
    name: "verifiers",
    xName: "who verify, of 7 nodes",
    values: [2, faults(7) + 1, 7],
    plan: (verifiers) => ({ ...usual, nodes: 7, verifiers }),
  },
];

const program = new Command("sweep")
  .description("measure clusters of different sizes and loads, and chains of different lengths")
  .option("--seconds <count>", "length of each measurement", whole(1, 600), 8)
  .option("--meters <count>", "meters, each with a connection of its own", whole(1, 10_000), 200)
  .option("--stored <count>", "records of the longest chain", whole(10_000, 100_000_000), 1_000_000)
  .option("--only <name>", `one of ${[...sweeps.map(({ name }) => name), "stored"].join(", ")}`)
  .exitOverride();

async function run(options: SweepOptions): Promise<void> {
  const results = resolve(RESULTS_FOLDER);
  await mkdir(results, { recursive: true });
  const wanted = (name: string) => options.only === undefined || options.only === name;
  for (const sweep of sweeps.filter(({ name }) => wanted(name))) {
    const rows: Measured[] = [];
    for (const x of sweep.values) {
      process.stderr.write(`${x} ${sweep.xName} …\n`);
      rows.push(await measurePoint(sweep, x, options));
    }
    await writeSweep(results, sweep, rows);
  }
  if (wanted("stored")) await measureStored(results, options.stored);
}

async function measurePoint(sweep: Sweep, x: number, { seconds, meters }: SweepOptions): Promise<Measured> {
  const { nodes, chains, registers, verifiers } = sweep.plan(x);
  const folder = await mkdtemp(join(resolve(RESULTS_FOLDER), "run-"));
  try {
    const cluster = await createCluster({ folder, nodes, chains, meters, verifiers, isLoad: true });
    const verifyRate = await createVerifyRate(cluster.meterFolders.slice(0, 40), cluster.services[0]!);
    const measure = () => verifyRate.measure(VERIFYING_S);
    const { per_s } = await measure();
    await cluster.start();
    // The limit was measured a moment ago, on a machine that may have been busier then.
    const plan = {
      seconds,
      warmup_s: WARMUP_S,
      limit_per_s: (2 * per_s) / cluster.verifiers,
      registers,
      verify: measure,
    };
    const measurement = await measureCluster(cluster, plan, () => {});
    await verifyRate.end();
    const { saturated, half, lost, duplicated } = measurement;
    const limit_per_s = limitOf(measurement, cluster.verifiers);
    await cluster.stop();
    if (lost > 0 || duplicated > 0) throw new Error(`${lost} records were lost, ${duplicated} sealed twice`);
    const spent = Object.entries(saturated.cpu_s_per_1000_records).filter(([name]) => name.startsWith("node"));
    return {
      x,
      sealed_per_s: saturated.records_per_s,
      p99_ms: half.p99_ms,
      cpu_us: spent.reduce((sum, [, cpu_s]) => sum + cpu_s * 1000, 0),
      ofLimit: saturated.records_per_s / limit_per_s,
    };
  } finally {
    await endAllChildren();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function writeSweep(results: string, sweep: Sweep, rows: readonly Measured[]): Promise<void> {
  const lines = table(
    [sweep.xName, "sealed/s", "registers/s", "p99 ms at half", "CPU us a record", "of the limit"],
    rows.map((row) => [
      row.x,
      Math.round(row.sealed_per_s),
      Math.round(row.sealed_per_s * sweep.plan(row.x).registers),
      Math.round(row.p99_ms),
      Math.round(row.cpu_us),
      row.ofLimit.toFixed(2),
    ]),
  );
  printLines([...lines, ""]);
  const points = (value: (row: Measured) => number) => rows.map((row) => ({ x: row.x, y: value(row) }));
  await writeResult(results, sweep.name, lines, {
    title: `records sealed a second, by ${sweep.xName}`,
    xName: sweep.xName,
    yName: "records/s",
    lines: [
      { name: "sealed", points: points(({ sealed_per_s }) => sealed_per_s) },
      { name: "limit", points: points(({ sealed_per_s, ofLimit }) => sealed_per_s / ofLimit) },
    ],
  });
}

/** CPU time of a record as the chain grows: three members in one process, signing included. */
async function measureStored(results: string, stored: number): Promise<void> {
  const folder = await mkdtemp(join(resolve(RESULTS_FOLDER), "run-"));
  const rows: { readonly x: number; readonly cpu_us: number }[] = [];
  try {
    const network = join(folder, "network");
    const chains = [{ service: 1, name: "trading", nodes: [1, 2, 3] }];
    const plan = {
      network: "bench",
      nodes: 3,
      chains,
      meters: HISTORY_METERS,
      host: "127.0.0.1",
      basePort: 12_000,
      target: 0,
    };
    const created = await createNetwork(network, plan, new Date());
    const every = Math.floor(stored / 100);
    let cpu = process.cpuUsage();
    let since = 0;
    await makeHistory({
      service: 1,
      nodeFolders: created.nodes.map(({ name }) => join(network, "nodes", name)),
      meterFolders: created.meters.map(({ name }) => join(network, "meters", name)),
      records: stored,
      every,
      onProgress(sealed) {
        if (!isShown(sealed, stored)) return;
        const spent = process.cpuUsage(cpu);
        cpu = process.cpuUsage();
        rows.push({ x: sealed, cpu_us: (spent.user + spent.system) / (sealed - since) });
        since = sealed;
        process.stderr.write(`${sealed} records …\n`);
      },
    });
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
  const lines = table(
    ["records stored", "CPU us a record"],
    rows.map(({ x, cpu_us }) => [x, Math.round(cpu_us)]),
  );
  printLines([...lines, ""]);
  await writeResult(results, "stored", lines, {
    title: "CPU time of a record, by records stored",
    xName: "records stored",
    yName: "us a record",
    lines: [{ name: "three members", points: rows.map(({ x, cpu_us }) => ({ x, y: cpu_us })) }],
  });
}

/** A hundredth of the whole, three of them, a tenth, three of those, the whole. */
function isShown(sealed: number, stored: number): boolean {
  return [0.01, 0.03, 0.1, 0.3, 1].some((part) => Math.abs(sealed - part * stored) < stored / 200);
}

async function writeResult(results: string, name: string, lines: readonly string[], plot: Plot): Promise<void> {
  await writeFile(join(results, `${name}.txt`), `${lines.join("\n")}\n`);
  await writeFile(join(results, `${name}.svg`), drawPlot(plot));
  printLines([`written to ${join(results, name)}.txt and .svg`, ""]);
}

try {
  await run(program.parse().opts<SweepOptions>());
} catch (error) {
  if (!(error instanceof CommanderError)) process.stderr.write(`sweep: ${reasonOf(error)}\n`);
  process.exitCode = error instanceof CommanderError ? error.exitCode : 1;
}

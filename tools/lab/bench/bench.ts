// `npm run bench`: what a cluster seals on this machine, beside the machine's Ed25519 verify rate,
// which bounds it. etcd and JetStream store the same bytes in the same run. Nothing here asserts on
// time; what is lost or sealed twice fails it.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { Command, CommanderError } from "commander";
import { reasonOf } from "../../errors.js";
import { INITIAL_METERS_MAX, INITIAL_NODES_MAX } from "../../provisioning/network.js";
import { whole } from "../../terminal/arguments.js";
import { printLines } from "../../terminal/output.js";
import { endAllChildren } from "../rig/children.js";
import { createCluster } from "../rig/cluster.js";
import { REGISTERS_DEFAULT } from "../rig/records.js";
import { describeMachine } from "./machine.js";
import { faultsOf, measureServices, serviceLines } from "./market/services.js";
import { type ClusterMeasurement, type LoadPlan, measureCluster, measureDisk, measureIdle } from "./measure-cluster.js";
import { measurePeer } from "./peers.js";
import { composeReport, type Measurements, reportLines } from "./report.js";
import { createVerifyRate } from "./verify-rate.js";

interface BenchOptions {
  readonly seconds: number;
  readonly warmup: number;
  readonly nodes: number;
  readonly chains: number;
  readonly meters: number;
  readonly verifiers?: number;
  readonly json?: string;
  readonly profile?: true;
  readonly confidential?: true;
}

const RESULTS_FOLDER = "bench-results";
const SERVICES_MAX = 64;
/**
 * A node under load goes on compiling its hot paths for long: what it does for months comes after
 * that.
 */
const WARMUP_S = 60;
const VERIFYING_S = 3;
/** Slots that are shared among communities' points: six hours. */
const SHARED_SLOTS = 24;
/** The limit may be measured while the machine is busier than later. */
const MARGIN = 1.3;
/**
 * Records' worth of registers in each of the long records that are measured beside the usual ones.
 */
const LONG_RECORD = 16;
/**
 * Meters whose records are verified and stored at the peers: enough keys that no cache holds one
 * key alone.
 */
const SAMPLE_METERS = 40;

const program = new Command("bench")
  .description("measure a cluster of node processes on this machine, with its limits and its peers beside it")
  .option("--seconds <count>", "length of each measurement", whole(1, 600), 20)
  .option("--warmup <seconds>", "load before the measurement of what is sealed at most", whole(0, 600), WARMUP_S)
  .option("--nodes <count>", "nodes of the cluster", whole(1, INITIAL_NODES_MAX), 4)
  .option("--chains <count>", "chains, each of all nodes", whole(1, SERVICES_MAX), 1)
  .option("--meters <count>", "meters, each with a connection of its own", whole(1, INITIAL_METERS_MAX), 200)
  .option("--verifiers <count>", "nodes that verify a record before it is sealed", whole(1, INITIAL_NODES_MAX))
  .option("--confidential", "measure records with one confidential group too, beside those without")
  .option("--json <file>", "write the report as JSON")
  .option("--profile", `write a CPU profile of the first node to ${RESULTS_FOLDER}/`)
  .exitOverride();

async function run(options: BenchOptions): Promise<void> {
  const results = resolve(RESULTS_FOLDER);
  await mkdir(results, { recursive: true });
  // Not the system's folder for temporary files: that is often in memory, where syncing costs
  // nothing.
  const folder = await mkdtemp(join(results, "run-"));
  const stopped = new Promise<never>((_, reject) => {
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => reject(new Error(`stopped by ${signal}`)));
  });
  try {
    const measured = await Promise.race([measure(options, folder, results), stopped]);
    const report = composeReport(measured);
    const services = await Promise.race([measureServices(SHARED_SLOTS, folder, step), stopped]);
    printLines([...reportLines(report), "", ...serviceLines(services)]);
    if (options.json !== undefined)
      await writeReport(options.json, `${JSON.stringify({ ...report, services }, null, 2)}\n`);
    if (report.faults.length + faultsOf(services) > 0) process.exitCode = 1;
  } finally {
    await endAllChildren();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function measure(options: BenchOptions, folder: string, results: string): Promise<Measurements> {
  const { seconds, nodes, chains, meters, verifiers } = options;
  const date = new Date().toISOString();
  step("describing the machine");
  const machine = await describeMachine(folder);
  const cluster = await createCluster({
    folder,
    nodes,
    chains,
    meters,
    verifiers,
    isLoad: true,
    ...(options.profile && { profile: results }),
  });
  const sample = cluster.meterFolders.slice(0, SAMPLE_METERS);
  const service = cluster.services[0]!;
  const verifyRate = await createVerifyRate(sample, service);
  step("verifying on all cores, for a first look");
  const verify = () => verifyRate.measure(VERIFYING_S);
  const { per_s } = await verify();
  step("starting the nodes");
  await cluster.start();
  const plan = { seconds, warmup_s: options.warmup, limit_per_s: (MARGIN * per_s) / cluster.verifiers, verify };
  const gridseal = await measureCluster(cluster, plan, step);
  step("leaving the nodes alone");
  const idle = await measureIdle(cluster, seconds);
  await cluster.stop();
  const disk = await measureDisk(cluster, gridseal);
  const long = await measureLong(options, folder, plan);
  const confidential = options.confidential ? await measureConfidential(options, folder, plan) : undefined;
  await verifyRate.end();
  const peerPlan = { folder, meters: sample, service, warmup_s: WARMUP_S, seconds };
  step("verifying once, and storing at etcd");
  const etcd = await measurePeer("etcd", { ...peerPlan, isVerified: true });
  step("verifying once, and storing at JetStream");
  const jetstream = await measurePeer("jetstream", { ...peerPlan, isVerified: true });
  step("storing at etcd as it comes");
  const etcdUnverified = await measurePeer("etcd", { ...peerPlan, isVerified: false });
  return {
    date,
    command: ["node", ...process.execArgv, ...process.argv.slice(1)].join(" "),
    nodes,
    verifiers: cluster.verifiers,
    meters,
    machine,
    gridseal,
    long,
    ...(confidential !== undefined && { confidential }),
    idle,
    disk,
    peers: { etcd, jetstream, etcdUnverified },
  };
}

/** Another cluster like the first, whose meters send many registers in one record. */
async function measureLong(options: BenchOptions, folder: string, plan: LoadPlan) {
  const registers = LONG_RECORD * REGISTERS_DEFAULT;
  const what = `${registers} registers a record`;
  return { registers, gridseal: await measureBeside(options, join(folder, "long"), { ...plan, registers }, what) };
}

/** Another one whose meters hide one group of each record. */
function measureConfidential(options: BenchOptions, folder: string, plan: LoadPlan): Promise<ClusterMeasurement> {
  const what = "a confidential group a record";
  return measureBeside(options, join(folder, "confidential"), { ...plan, hides: true }, what);
}

async function measureBeside(
  { nodes, chains, meters, verifiers }: BenchOptions,
  own: string,
  plan: LoadPlan,
  what: string,
): Promise<ClusterMeasurement> {
  await mkdir(own);
  const cluster = await createCluster({ folder: own, nodes, chains, meters, verifiers, isLoad: true });
  await cluster.start();
  const measured = await measureCluster(cluster, plan, (text) => step(`${what}: ${text}`));
  await cluster.stop();
  return measured;
}

async function writeReport(path: string, text: string): Promise<void> {
  await mkdir(dirname(resolve(path)), { recursive: true });
  await writeFile(path, text);
}

function step(text: string): void {
  process.stderr.write(`${text} …\n`);
}

try {
  program.parse();
  await run(program.opts<BenchOptions>());
} catch (thrown) {
  if (thrown instanceof CommanderError) process.exitCode = thrown.exitCode === 0 ? 0 : 2;
  else {
    process.stderr.write(`bench: ${reasonOf(thrown)}\n`);
    process.exitCode = 1;
  }
}

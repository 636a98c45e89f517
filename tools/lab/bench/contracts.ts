// `npm run bench:contracts`: what a reading costs in a network with the contracts that every network has beside one without any, in one
// run; how many operations a second a contract runs for; what the close of a slot of many points takes. Nothing here asserts on time;
// what is lost or sealed twice fails it.

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Command, CommanderError } from "commander";
import { reasonOf } from "../../errors.js";
import { createParticipant } from "../../provisioning/participant.js";
import { whole } from "../../terminal/arguments.js";
import { pairs, printLines, table } from "../../terminal/output.js";
import { endAllChildren } from "../rig/children.js";
import { type Cluster, createCluster } from "../rig/cluster.js";
import { installCounting } from "../rig/contracts/counting.js";
import { ASKED_TYPE } from "../rig/records.js";
import { type ClusterMeasurement, type LoadPlan, measureCluster } from "./measure-cluster.js";
import { measureSettlement, type SettlementMeasurement } from "./settlement.js";
import { createVerifyRate } from "./verify-rate.js";

interface ContractBenchOptions {
  readonly seconds: number;
  readonly warmup: number;
  readonly meters: number;
  readonly points: number;
}

const RESULTS_FOLDER = "bench-results";
const NODES = 4;
const PARTICIPANTS = 8;
/** Operations without receipt, of all participants: a few blocks' worth. */
const UNDER_WAY = 128;
/** Far above what blocks of 32 operations come to: so many are made ready. */
const OPERATIONS_MAX_PER_S = 200;
const VERIFYING_S = 3;
const MARGIN = 1.3;

const program = new Command("bench:contracts")
  .description(
    "measure readings with and without the first contracts, operations that a contract runs for, and the close of a slot",
  )
  .option("--seconds <count>", "length of each measurement", whole(1, 600), 20)
  .option("--warmup <seconds>", "load before what is sealed at most is measured", whole(0, 600), 20)
  .option("--points <count>", "points of the slot whose close is measured", whole(1, 100_000), 10_000)
  .option("--meters <count>", "meters, each with a connection of its own", whole(1, 1_000), 100)
  .exitOverride();

async function run(options: ContractBenchOptions): Promise<void> {
  const results = resolve(RESULTS_FOLDER);
  await mkdir(results, { recursive: true });
  const folder = await mkdtemp(join(results, "run-"));
  try {
    const bare = await measureReadings(join(folder, "bare"), options, false);
    const contracted = await measureReadings(join(folder, "contracted"), options, true);
    step(`settling ${options.points} points`);
    const settled = await measureSettlement(options.points);
    printLines([...linesOf(bare.readings, contracted.readings, contracted.operations!), ...settledLines(settled)]);
    const all = [bare.readings, contracted.readings, contracted.operations!];
    if (all.some(({ lost, duplicated }) => lost + duplicated > 0)) process.exitCode = 1;
  } finally {
    await endAllChildren();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

interface Measured {
  readonly readings: ClusterMeasurement;
  readonly operations: ClusterMeasurement | undefined;
}

/** A cluster of its own: readings, and operations behind them where a contract is installed. */
async function measureReadings(
  folder: string,
  options: ContractBenchOptions,
  isContracted: boolean,
): Promise<Measured> {
  await mkdir(folder);
  const cluster = await createCluster({
    folder,
    nodes: NODES,
    chains: 1,
    meters: options.meters,
    isLoad: true,
    isGoverned: true,
    hasContracts: isContracted,
  });
  const folders = isContracted ? await makeParticipants(cluster) : [];
  const service = cluster.services[0]!;
  const verifyRate = await createVerifyRate(cluster.meterFolders.slice(0, 40), service);
  const verify = () => verifyRate.measure(VERIFYING_S);
  const { per_s } = await verify();
  await cluster.start();
  const name = isContracted ? "with contracts" : "without any";
  const plan: LoadPlan = {
    ...{ seconds: options.seconds, warmup_s: options.warmup, verify },
    limit_per_s: (MARGIN * per_s) / cluster.verifiers,
  };
  const readings = await measureCluster(cluster, plan, (text) => step(`${name}: ${text}`));
  if (isContracted) await installCounting(cluster, { service, types: [ASKED_TYPE] });
  const asking = { ...plan, limit_per_s: OPERATIONS_MAX_PER_S, participants: { folders, underWay: UNDER_WAY } };
  const operations = isContracted
    ? await measureCluster(cluster, asking, (text) => step(`operations: ${text}`))
    : undefined;
  await cluster.stop();
  await verifyRate.end();
  return { readings, operations: operations && { ...operations, ...sealedOf(operations, readings) } };
}

/** The chain holds the readings, too. */
function sealedOf({ sealed, published }: ClusterMeasurement, readings: ClusterMeasurement) {
  const own = sealed - readings.sealed;
  return { sealed: own, duplicated: Math.max(0, own - published) };
}

/** Before the nodes start, so that none has to be told of them. */
async function makeParticipants({ folder: network, services }: Cluster): Promise<readonly string[]> {
  const folders: string[] = [];
  for (let number = 1; number <= PARTICIPANTS; number += 1) {
    const [id, out] = [`participant-${number}`, join(network, `participant-${number}`)];
    const plan = { network, id, role: "customer", services, algorithm: "Ed25519", out } as const;
    await createParticipant(plan, new Date());
    folders.push(out);
  }
  return folders;
}

function linesOf(bare: ClusterMeasurement, contracted: ClusterMeasurement, operations: ClusterMeasurement): string[] {
  const row = (name: string, { saturated, half }: ClusterMeasurement) => [
    name,
    saturated.records_per_s.toFixed(0),
    cpuOf(saturated.cpu_s_per_1000_records).toFixed(0),
    half.records_per_s.toFixed(0),
    `${half.p50_ms.toFixed(0)} / ${half.p99_ms.toFixed(0)}`,
  ];
  const cost = cpuOf(contracted.saturated.cpu_s_per_1000_records) / cpuOf(bare.saturated.cpu_s_per_1000_records);
  return [
    ...table(
      ["", "sealed/s at most", "CPU of all nodes, us each", "sealed/s at half", "p50 / p99 then, ms"],
      [row("readings", bare), row("readings, first contracts", contracted), row("operations", operations)],
    ),
    "",
    ...pairs([["a reading with the first contracts costs, of one without", `${(100 * cost).toFixed(0)} %`]]),
  ];
}

function settledLines({ points, close_ms, rows_ms, shows, shown_ms, ...cost }: SettlementMeasurement) {
  const { verify_us, rules_us, settlement_us } = cost;
  const added = settlement_us / (verify_us + rules_us);
  return pairs([
    ["settling adds to a reading's signature and rules, alone on a core", `${(100 * added).toFixed(0)} %`],
    [
      `closing a slot of ${points} points, and encoding its rows`,
      `${close_ms.toFixed(0)} ms + ${rows_ms.toFixed(0)} ms`,
    ],
    [`showing it to metering, ${shows} runs`, `${shown_ms.toFixed(0)} ms`],
  ]);
}

/** Microseconds of a record, of the nodes alone. */
function cpuOf(cpu_s_per_1000_records: Readonly<Record<string, number>>): number {
  const ofNodes = Object.entries(cpu_s_per_1000_records).filter(([name]) => name !== "load generator");
  return 1_000 * ofNodes.reduce((sum, [, cpu_s]) => sum + cpu_s, 0);
}

function step(text: string): void {
  process.stderr.write(`${text} …\n`);
}

try {
  program.parse();
  await run(program.opts<ContractBenchOptions>());
} catch (thrown) {
  if (thrown instanceof CommanderError) process.exitCode = thrown.exitCode === 0 ? 0 : 2;
  else {
    process.stderr.write(`bench:contracts: ${reasonOf(thrown)}\n`);
    process.exitCode = 1;
  }
}

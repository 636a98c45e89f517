// `npm run soak`: real nodes, a real broker and meters in XS engines for as long as wanted, with one fault after another. After each
// the nodes must seal again; in the end every published record is sealed once, every receipt verified, and all chains are the same
// and audited. `--each` lets every fault come once.

import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Command, CommanderError } from "commander";
import { decodeBlock } from "../../../src/wire/block.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import { auditNetwork } from "../../audit/network.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { createTally, type Tally } from "../../demo/tally.js";
import { openPort } from "../../emulators/port.js";
import { reasonOf } from "../../errors.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { type Meter, startMeter } from "../../meters/meter.js";
import { parsePort } from "../../meters/ports/port-configuration.js";
import { type ChainSummary, chains } from "../../routes/chains.js";
import { openApiSource } from "../../sources/api.js";
import { askValue } from "../../sources/client.js";
import { whole } from "../../terminal/arguments.js";
import { pairs, printLines } from "../../terminal/output.js";
import { endAllChildren } from "../rig/children.js";
import { createRandom, type Random } from "../rig/random.js";
import { type SoakCluster, startCluster } from "./cluster.js";
import { type Fault, faults } from "./faults.js";

interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly meters: number;
  readonly nodes: number;
  readonly faults?: string;
  readonly each?: true;
  readonly keep?: true;
}

interface SoakMeter {
  readonly meter: Meter;
  waiting: number;
}

/** How long a fault lasts; where each comes once, up to the shorter time. */
const FAULT_S = { least: 2, most: 12, mostOnce: 6 } as const;
/** How long the nodes may take to seal again; a frozen link is given up only after a while. */
const RECOVERY_MAX_MS = 120_000;
const FINISH_MAX_MS = 180_000;
/** Every second meter defers certificates, as a chip does, but for so long at most. */
const DEFERRAL_MS = 3_000;
/** Meters publish a record of each of these services so often. */
const schedules = [
  { service: 1, every_s: 1 },
  { service: 3, every_s: 2 },
  { service: 5, every_s: 5 },
] as const;

const program = new Command("soak")
  .description("run a cluster of real processes under one fault after another")
  .option("--minutes <count>", "how long", whole(1, 100_000), 10)
  .option("--seed <number>", "decides which fault comes when", whole(0, 4_294_967_295), 1)
  .option("--nodes <count>", "nodes", whole(4, 16), 4)
  .option("--meters <count>", "meters", whole(1, 64), 4)
  .option("--faults <names>", `of ${faults.map(({ name }) => name).join(", ")}; all where absent`)
  .option("--each", "every fault once, in their order, however long that takes")
  .option("--keep", "leave the folder with chains and logs")
  .exitOverride();

async function run(options: SoakOptions): Promise<void> {
  const chosen = chooseFaults(options.faults);
  const folder = await mkdtemp(join(tmpdir(), "gridseal-soak-"));
  const cluster = await startCluster(folder, options.nodes, options.meters);
  const { genesis } = await readGenesisFile(join(cluster.folder, "genesis.cbor"));
  const tally = createTally(genesis, nodeVerify);
  const meters: SoakMeter[] = [];
  try {
    await startMeters(cluster, tally, meters);
    await recovered(cluster, "the start");
    await disturb(cluster, chosen, options);
    await finish(tally, meters);
    await checkChains(cluster, genesis, tally);
  } finally {
    for (const { meter } of meters) await meter.stop();
    await cluster.stop();
    await endAllChildren();
    if (options.keep) printLines([`kept in ${folder}`]);
    else await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

function chooseFaults(names: string | undefined): readonly Fault[] {
  if (names === undefined) return faults;
  return names.split(",").map((name) => {
    const fault = faults.find((candidate) => candidate.name === name);
    if (fault === undefined) throw new Error(`there is no fault "${name}"; see --help`);
    return fault;
  });
}

async function startMeters({ folder }: SoakCluster, tally: Tally, meters: SoakMeter[]): Promise<void> {
  for (const name of (await readdir(join(folder, "meters"))).sort()) {
    const directory = join(folder, "meters", name);
    const path = join(directory, "configuration.json");
    const document = JSON.parse(await readFile(path, "utf8"));
    const registers = ["1-0:1.8.n", "1-0:2.8.n"];
    document.schedule = schedules.map((entry) => ({ ...entry, serviceId: 1, aligned: false, registers }));
    await writeFile(path, JSON.stringify(document));
    const shown = { waiting: 0 };
    const meter = await startMeter({
      name,
      directory,
      deferral_ms: meters.length % 2 === 0 ? 0 : DEFERRAL_MS,
      openPort: (configured, onBytes) => openPort(parsePort(configured), onBytes, () => {}),
      onState(_state, counters) {
        shown.waiting = counters.waiting ?? 0;
      },
      onTraffic: (direction, topic, payload) => tally.note(direction, topic, payload, performance.now()),
    });
    meters.push(Object.assign(shown, { meter }));
  }
}

async function disturb(cluster: SoakCluster, chosen: readonly Fault[], options: SoakOptions): Promise<void> {
  const random = createRandom(options.seed);
  const possible = chosen.filter((fault) => {
    const missing = fault.missing?.(cluster);
    if (missing !== undefined) printLines([`not run: ${fault.name}, ${missing}`]);
    return missing === undefined;
  });
  if (possible.length === 0) return;
  const until_ms = performance.now() + options.minutes * 60_000;
  for (let count = 0; ; count += 1) {
    const isOver = options.each ? count === possible.length : performance.now() > until_ms;
    if (isOver) return;
    const drawn_s = random.between(FAULT_S.least, options.each ? FAULT_S.mostOnce : FAULT_S.most);
    const fault = options.each ? possible[count]! : random.pick(possible);
    await befall(cluster, fault, options.each ? drawn_s : (fault.seconds ?? drawn_s), random);
  }
}

/** One fault from its beginning until all nodes seal again. No node ends but where the fault ends it. */
async function befall(cluster: SoakCluster, fault: Fault, seconds: number, random: Random): Promise<void> {
  const before = cluster.nodes.map(({ process: { restarts } }) => restarts);
  const begun = await fault.begin(cluster, random);
  await pause(1000 * seconds);
  await begun.end();
  const recovery_ms = await recovered(cluster, `${fault.name} (${begun.what})`, begun.keptOut_ms);
  for (const [index, node] of cluster.nodes.entries()) {
    if (node.process.restarts === before[index] || begun.ends?.includes(node)) continue;
    throw new Error(`${fault.name} (${begun.what}): ${node.name} ended by itself; see its node.log with --keep`);
  }
  const lasted = `${seconds.toFixed(1)} s, then sealing everywhere after ${(recovery_ms / 1000).toFixed(1)} s`;
  printLines([`${fault.name}: ${begun.what}, ${lasted}`]);
}

/** Waits until every node has sealed more of the busiest chain than any had before. Gives how long that took. */
async function recovered({ nodes }: SoakCluster, what: string, keptOut_ms = 0): Promise<number> {
  const started_ms = performance.now();
  const [{ service }] = schedules;
  const heights = async () =>
    Promise.all(nodes.map(async ({ api }) => (await chainsOf(api)).find((chain) => chain.service === service)?.height));
  const goal = 2 + Math.max(...(await heights()).map((height) => height ?? 0));
  while ((await heights()).some((height) => (height ?? 0) < goal)) {
    if (performance.now() - started_ms > RECOVERY_MAX_MS + keptOut_ms) {
      throw new Error(`after ${what}: a node does not seal, heights ${(await heights()).join(" ")}, wanted ${goal}`);
    }
    await pause(100);
  }
  return performance.now() - started_ms;
}

async function chainsOf(api: string): Promise<readonly ChainSummary[]> {
  return askValue(api, chains, { parameters: {}, patience_ms: 2_000 }).catch(() => []);
}

/** No new readings; what is under way comes to its end. */
async function finish(tally: Tally, meters: readonly SoakMeter[]): Promise<void> {
  await Promise.all(meters.map(({ meter }) => meter.pauseMeter()));
  const until_ms = performance.now() + FINISH_MAX_MS;
  const isOpen = () => tally.open > 0 || meters.some(({ waiting }) => waiting > 0);
  while (isOpen() && performance.now() < until_ms) await pause(100);
}

async function checkChains({ nodes }: SoakCluster, genesis: Genesis, tally: Tally): Promise<void> {
  const findings: string[] = [];
  const lists = await agreedChains(nodes.map(({ api }) => api));
  if (lists === undefined) findings.push("the nodes do not come to the same chains");
  const source = openApiSource(nodes[0]!.api);
  const reports = await auditNetwork(
    genesis,
    { open: (service) => () => source.blocks(service, 1), runContracts: undefined },
    undefined,
  );
  for (const report of reports) {
    for (const { block, service, height } of report.anchors.contradictions) {
      findings.push(`chain ${report.name}, block ${block}: contradicts block ${height} of chain ${service}`);
    }
    if (report.firstProblem !== undefined) {
      findings.push(`chain ${report.name}, block ${report.firstProblem.height}: ${report.firstProblem.what}`);
    }
    const violations = Object.values(report.violations).reduce((sum, count) => sum + count, 0);
    if (violations > 0) findings.push(`chain ${report.name} has ${violations} violations`);
  }
  const totals = await tally.reconcile(blocksOf(source, genesis), () => true); // it throws where it cannot be had
  const { published, sealed, verified, lost, duplicated } = totals;
  if (lost > 0 || duplicated > 0 || verified < published)
    findings.push("not every record was sealed once and answered");
  if (tally.wrong > 0) findings.push(`${tally.wrong} receipts did not verify`);
  printLines([
    ...pairs([
      ["published", published],
      ["sealed", sealed],
      ["receipts verified", verified],
      ["lost", lost],
      ["sealed twice", duplicated],
      ["chains", (lists ?? []).map(({ name, height, records }) => `${name} ${height}/${records}`).join("  ")],
    ]),
    ...findings.map((finding) => `FOUND ${finding}`),
  ]);
  if (findings.length > 0) process.exitCode = 1;
}

/** Chains of all nodes once they are the same; undefined where they do not come to be. */
async function agreedChains(apis: readonly string[]): Promise<readonly ChainSummary[] | undefined> {
  const until_ms = performance.now() + RECOVERY_MAX_MS;
  while (performance.now() < until_ms) {
    const lists = await Promise.all(apis.map(chainsOf));
    const heads = lists.map((chains) => chains.map(({ service, header }) => `${service} ${header}`).join());
    if (heads[0] !== "" && heads.every((head) => head === heads[0])) return lists[0];
    await pause(200);
  }
  return undefined;
}

async function* blocksOf(source: ReturnType<typeof openApiSource>, genesis: Genesis) {
  for (const { service } of genesis.chains) {
    for await (const bytes of source.blocks(service, 1)) yield decodeBlock(bytes);
  }
}

try {
  await run(program.parse().opts<SoakOptions>());
} catch (error) {
  if (!(error instanceof CommanderError)) process.stderr.write(`soak: ${reasonOf(error)}\n`);
  process.exitCode = error instanceof CommanderError ? error.exitCode : 1;
}

// `npm run bench:history`: what a long chain costs a node. Seals many records through the chain
// code, and shows time, memory and disk as the chain grows. Then it starts real nodes on the stores
// that came of it: how long a start takes, how fast users' questions are answered, how fast an empty node catches up.

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Command, CommanderError } from "commander";
import { reasonOf } from "../../errors.js";
import { modulePath } from "../../module-path.js";
import { createNetwork } from "../../provisioning/network.js";
import { type ChainState, chains as chainsRoute } from "../../routes/chains.js";
import { askValue } from "../../sources/client.js";
import { whole } from "../../terminal/arguments.js";
import { pairs, printLines, table } from "../../terminal/output.js";
import { endAllChildren } from "../rig/children.js";
import { diskUsage_bytes } from "../rig/cluster.js";
import { readOwnMemory_bytes, readProcessUsage } from "../rig/process-usage.js";
import { freeBasePort, type ServerProcess, startServer, waitFor } from "../rig/server-process.js";
import { makeHistory } from "./history-maker.js";
import { measureQuestions } from "./history-questions.js";

const HOST = "127.0.0.1";
const NODES = 4;
const SERVICE = 1;
const STARTS = 3;
const CATCH_UP_MAX_S = 3_600;
const LOOK_EVERY_MS = 10;
const MIB = 2 ** 20;

const program = new Command("bench:history")
  .description("measure what a long chain costs: sealing on, starting, catching up")
  .option("--records <count>", "records of the chain", whole(1_000, 100_000_000), 1_000_000)
  .option("--meters <count>", "meters that they are of", whole(1, 10_000), 1_000)
  .exitOverride();

interface Options {
  readonly records: number;
  readonly meters: number;
}

interface StartedNode extends ServerProcess {
  readonly api: string;
}

async function run({ records, meters }: Options): Promise<void> {
  await mkdir(resolve("bench-results"), { recursive: true });
  const folder = await mkdtemp(join(resolve("bench-results"), "history-"));
  try {
    const numbers = Array.from({ length: NODES }, (_, index) => index + 1);
    const basePort = await freeBasePort(numbers.flatMap((number) => [number, 100 + number, 200 + number]));
    const chains = [{ service: SERVICE, name: "trading", nodes: numbers }];
    const network = join(folder, "network");
    const plan = { network: "bench", nodes: NODES, chains, meters, host: HOST, basePort, target: 0 };
    const created = await createNetwork(network, plan, new Date());
    const nodeFolders = created.nodes.map(({ name }) => join(network, "nodes", name));
    const meterFolders = created.meters.map(({ name }) => join(network, "meters", name));
    // Three of four are a quorum; the fourth has everything before it.
    await measureGrowth(nodeFolders.slice(0, NODES - 1), meterFolders, records);
    const start = (index: number): StartedNode => {
      const args = [
        ...process.execArgv,
        modulePath("cli/gridseal"),
        "node",
        "run",
        join(nodeFolders[index]!, "node.json"),
      ];
      const name = created.nodes[index]!.name;
      const server = startServer(name, process.execPath, args, join(folder, `${name}.log`));
      return Object.assign(server, { api: `http://${HOST}:${basePort + 201 + index}` });
    };
    await measureStart(start);
    const asking = { nodeFolder: nodeFolders[0]!, meterFolders, service: SERVICE, records, scratch: folder };
    const asked = start(0);
    await chainOf(asked);
    printLines(await measureQuestions(asking, asked.api));
    await asked.stop();
    await measureCatchUp(start);
  } finally {
    await endAllChildren();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Seals the records and prints a row for each tenth of them. */
async function measureGrowth(nodeFolders: readonly string[], meterFolders: readonly string[], records: number) {
  const rows: string[][] = [];
  const every = Math.floor(records / 10);
  let cpu = process.cpuUsage();
  await makeHistory({
    service: SERVICE,
    nodeFolders,
    meterFolders,
    records,
    every,
    onProgress(sealed) {
      const spent = process.cpuUsage(cpu);
      cpu = process.cpuUsage();
      const us = (spent.user + spent.system) / every;
      const memory = readOwnMemory_bytes(process.pid) ?? Number.NaN;
      rows.push([sealed.toLocaleString("en-US"), us.toFixed(0), (memory / MIB).toFixed(0)]);
      process.stderr.write(`${sealed} sealed …\n`);
    },
  });
  const bytes = await diskUsage_bytes(join(nodeFolders[0]!, "data"));
  printLines([
    `${nodeFolders.length} members of one chain in one process, signing the records included:`,
    ...table(["records sealed", "CPU us a record", "memory MiB"], rows),
    ...pairs([["store", `${bytes} bytes on one node, ${(bytes / records).toFixed(0)} a record`]]),
    "",
  ]);
}

/** From the start of the process until the API tells the chain's head. */
async function measureStart(start: (index: number) => StartedNode): Promise<void> {
  const rows: string[][] = [];
  for (let run = 1; run <= STARTS; run += 1) {
    const started_ms = performance.now();
    const node = start(0);
    const chain = await chainOf(node);
    const took_ms = performance.now() - started_ms;
    const usage = readProcessUsage(node.pid);
    rows.push([
      String(run),
      took_ms.toFixed(0),
      ((usage?.cpu_s ?? Number.NaN) * 1000).toFixed(0),
      String(chain.records),
    ]);
    await node.stop();
  }
  printLines(["a node's start, from process to answer:", ...table(["start", "ms", "CPU ms", "records"], rows), ""]);
}

/** A node that has nothing takes the whole chain from three that have it. */
async function measureCatchUp(start: (index: number) => StartedNode): Promise<void> {
  const others = [0, 1, 2].map(start);
  const [head] = await Promise.all(others.map(chainOf));
  const node = start(NODES - 1);
  await chainOf(node);
  const usages = () => [...others, node].map(({ pid }) => readProcessUsage(pid)?.cpu_s ?? Number.NaN);
  const before = usages();
  const started_ms = performance.now();
  await waitFor("the node has caught up", [node, ...others], CATCH_UP_MAX_S, async () => {
    return (await askChain(node)).header === head!.header;
  });
  const seconds = (performance.now() - started_ms) / 1000;
  const spent = usages().map((cpu_s, index) => cpu_s - before[index]!);
  const own_us = (spent.at(-1)! * 1e6) / head!.records;
  const others_us = (spent.slice(0, -1).reduce((sum, cpu_s) => sum + cpu_s, 0) * 1e6) / head!.records;
  printLines([
    "a node that begins with nothing:",
    ...pairs([
      ["caught up", `${head!.records} records in ${head!.height} blocks in ${seconds.toFixed(1)} s`],
      ["rate", `${(head!.records / seconds).toFixed(0)} records/s, ${(head!.height / seconds).toFixed(0)} blocks/s`],
      ["CPU", `${own_us.toFixed(1)} us a record there, ${others_us.toFixed(1)} at the three others together`],
    ]),
  ]);
  await Promise.all([...others, node].map((server) => server.stop()));
}

/** The node's chain, once it answers. */
async function chainOf(node: StartedNode): Promise<ChainState> {
  for (;;) {
    const state = await askChain(node).catch(() => undefined);
    if (state !== undefined) return state;
    if (node.hasEnded) throw new Error(`${node.name} ended: ${node.lastWords()}`);
    await pause(LOOK_EVERY_MS);
  }
}

async function askChain(node: StartedNode): Promise<ChainState> {
  const [chain] = await askValue(node.api, chainsRoute, { parameters: {}, patience_ms: 5_000 });
  return chain!;
}

try {
  program.parse();
  await run(program.opts<Options>());
} catch (thrown) {
  if (thrown instanceof CommanderError) process.exitCode = thrown.exitCode === 0 ? 0 : 2;
  else {
    process.stderr.write(`bench:history: ${reasonOf(thrown)}\n`);
    process.exitCode = 1;
  }
}

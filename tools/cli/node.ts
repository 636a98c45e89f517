// `gridseal node`: runs one consensus node, looks after the store of one that is stopped, and signs that one is ready for a chain.

import { existsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import type { Command } from "commander";
import { SERVICE_MAX } from "../../src/wire/bounds.js";
import { keyId } from "../../src/wire/key.js";
import { writeReady } from "../authority/orders.js";
import { GridsealError, reasonOf } from "../errors.js";
import { chainNamed, readGenesisFile } from "../files/genesis-file.js";
import { readKeyFile } from "../files/key-file.js";
import { lockFolder } from "../files/lock.js";
import { type NodeConfiguration, readNodeConfiguration } from "../node/configuration.js";
import type { Node } from "../node/node.js";
import { whole } from "../terminal/arguments.js";
import { printLines, toJson } from "../terminal/output.js";
import { stopSignal } from "../terminal/signals.js";

interface PruneOptions {
  readonly chain?: string;
  readonly pruneBefore: number;
  readonly json?: true;
}

/** How often a node that is being repaired is looked at, and how often its user is told. */
const LOOK_MS = 100;
const SAY_MS = 1_000;

export function registerNode(program: Command): void {
  const node = program.command("node").description("consensus nodes");
  node
    .command("ready")
    .description("sign that a node is ready to be a member of a chain, for the authority's order")
    .argument("<config>", "the node's node.json, or its folder")
    .requiredOption("--service <number>", "number of the chain's service", whole(1, SERVICE_MAX))
    .requiredOption("-o, --out <file>", "file to make")
    .action(ready);
  node
    .command("run")
    .description(
      "run a node until SIGINT or SIGTERM; SIGHUP reads its peers and chains to follow again; logs JSON lines",
    )
    .argument("<config>", "the node's node.json, or its folder")
    .option("--json", "changes nothing: the log is JSON")
    .action(run);
  node
    .command("prune")
    .description(
      "let go of old records of a stopped node; headers, certificates and anchors stay, receipts still verify",
    )
    .argument("<config>", "the node's node.json, or its folder")
    .requiredOption(
      "--prune-before <height>",
      "blocks below this height, the newest 64 excepted",
      whole(1, Number.MAX_SAFE_INTEGER),
    )
    .option("--chain <service>", "one chain, by name or number; all where absent")
    .option("--json", "print JSON")
    .action(prune);
  node
    .command("repair")
    .description("check a stopped node's store; where it is damaged, set it aside and fetch the chains from the peers")
    .argument("<config>", "the node's node.json, or its folder")
    .option("--json", "print JSON")
    .action(repair);
}

async function ready(path: string, options: { readonly service: number; readonly out: string }): Promise<void> {
  const { genesis: genesisPath, key, name } = await readNodeConfiguration(path);
  const { genesis } = await readGenesisFile(genesisPath);
  await writeReady(options.out, genesis, options.service, name, await readKeyFile(key));
  printLines([`${options.out}: ${name} is ready for chain ${options.service}`]);
}

async function run(path: string): Promise<void> {
  // The collector's helper threads wait for one another by spinning, on cores that the threads which verify signatures keep busy.
  setFlagsFromString("--no-parallel-scavenge");
  // Before anything else: a signal that comes while the node starts ends nothing halfway.
  const stopped = stopSignal();
  let node: Node | undefined;
  let isChanged = false;
  const reload = async (): Promise<void> => {
    isChanged = node === undefined;
    try {
      node?.reload(await readNodeConfiguration(path));
    } catch (error) {
      process.stderr.write(`${reasonOf(error)}; the configuration stays as it was\n`);
    }
  };
  process.on("SIGHUP", () => void reload());
  const configuration = await readNodeConfiguration(path);
  // Loaded here alone: the node's libraries would slow every other command down.
  const { startNode } = await import("../node/node.js");
  node = await startNode(configuration);
  if (isChanged) await reload();
  const failure = await Promise.race([stopped, node.failed.then((reason) => ({ reason }))]);
  await node.stop();
  if (failure === undefined) return;
  const { reason } = failure;
  throw reason instanceof GridsealError
    ? reason
    : new GridsealError("INVARIANT_VIOLATED", `the node stopped: ${reasonOf(reason)}`, { cause: reason });
}

async function prune(path: string, options: PruneOptions): Promise<void> {
  const { configuration, genesis, owner } = await readOwner(path);
  const [{ openStore }, { pruneChain }, { createGovernor }] = await Promise.all([
    import("../node/store/open-store.js"),
    import("../node/store/prune.js"),
    import("../node/chain/sealed-orders.js"),
  ]);
  const unlock = await lockFolder(configuration.data, "node");
  try {
    const store = await openStore(configuration.data, owner, true);
    try {
      const all = createGovernor(genesis, store).current.chains.map(({ chain }) => chain);
      const chains = options.chain === undefined ? all : [chainNamed({ ...genesis, chains: all }, options.chain)];
      for (const { service, name } of chains) {
        const pruned = await pruneChain(store, service, options.pruneBefore);
        const text = `${name}: let go of ${pruned.records} records in ${pruned.blocks} blocks`;
        printLines([options.json ? toJson({ service, name, ...pruned }) : text]);
      }
    } finally {
      await store.close();
    }
  } finally {
    await unlock();
  }
}

async function repair(path: string, { json }: { readonly json?: true }): Promise<void> {
  const { configuration, genesis, owner } = await readOwner(path);
  const { findDamage, replaceStore } = await import("../node/store/repair.js");
  const unlock = await lockFolder(configuration.data, "node");
  let found: string | undefined;
  let salvaged: Awaited<ReturnType<typeof replaceStore>> | undefined;
  try {
    found = await findDamage(configuration.data, owner, genesis);
    if (found !== undefined) salvaged = await replaceStore(configuration.data, owner, genesis, new Date());
  } finally {
    await unlock();
  }
  if (salvaged === undefined) return printLines([json ? toJson({ damage: null }) : `${configuration.data} is whole`]);
  const { aside, rows } = salvaged;
  if (!json) {
    printLines([`damaged: ${found}`, `set aside in ${aside}`, `taken over: ${takenOver(rows)}`]);
  }
  const heights = await fetchChains(configuration);
  if (json) return printLines([toJson({ damage: found, aside, ...rows, chains: heights })]);
  printLines(heights.map(({ name, height }) => `${name}: ${height} blocks from the peers`));
}

/** Tables whose rows have another name than their table. */
const rowNames: { readonly [table: string]: string } = {
  admitted: "waiting records",
  waitingNotices: "waiting notices",
};

function takenOver(rows: { readonly [table: string]: number }): string {
  return Object.entries(rows)
    .map(([table, count]) => `${count} ${rowNames[table] ?? table}`)
    .join(", ");
}

/** Runs the node until it has what its peers had at first, and says on standard error how far it is. */
async function fetchChains(configuration: NodeConfiguration) {
  const [{ startNode }, { describeLevel, isLevel, lookAt, noLevel }] = await Promise.all([
    import("../node/node.js"),
    import("../node/level.js"),
  ]);
  const node = await startNode({ ...configuration, log: "error" });
  try {
    let level = noLevel;
    let said_ms = performance.now();
    for (;;) {
      const chains = node.fetched();
      level = lookAt(level, chains, performance.now());
      if (isLevel(level, chains)) return chains.map(({ name, height }) => ({ name, height }));
      if (performance.now() - said_ms >= SAY_MS) {
        said_ms = performance.now();
        process.stderr.write(`fetching from the peers: ${describeLevel(level, chains)}\n`);
      }
      const failure = await Promise.race([node.failed.then((reason) => ({ reason })), pause(LOOK_MS)]);
      if (failure !== undefined) throw failure.reason;
    }
  } finally {
    await node.stop();
  }
}

/** Whose store a configuration names. Rejects where there is none. */
async function readOwner(path: string) {
  const configuration = await readNodeConfiguration(path);
  const { genesis } = await readGenesisFile(configuration.genesis);
  const { key } = await readKeyFile(configuration.key);
  if (!existsSync(configuration.data)) {
    throw new GridsealError("FILE_UNREADABLE", `there is no store in ${configuration.data}`);
  }
  return { configuration, genesis, owner: { node: keyId(key), genesisHash: genesis.hash } };
}

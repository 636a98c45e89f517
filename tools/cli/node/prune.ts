// `gridseal node prune`: lets go of old records of a stopped node, and gives the disk back what they took.

import type { Command } from "commander";
import type { GenesisChain } from "../../../src/wire/genesis.js";
import { GridsealError } from "../../errors.js";
import { chainNamed } from "../../files/genesis-file.js";
import { lockFolder } from "../../files/lock.js";
import type { Store } from "../../node/store/store.js";
import { duration, whole } from "../../terminal/arguments.js";
import { countText, printLines, toJson } from "../../terminal/output.js";
import { type Step, withProgress } from "../../terminal/progress.js";
import { readOwner } from "./owner.js";

interface PruneOptions {
  readonly service?: string;
  readonly pruneBefore?: number;
  readonly olderThan?: number;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly json?: true;
}

/** A chain, and the first height that it keeps whole. */
interface Cut {
  readonly chain: GenesisChain;
  readonly before: number;
}

/** What went of a chain; with the reason where nothing did. */
interface Gone {
  readonly service: number;
  readonly name: string;
  readonly before: number;
  readonly blocks: number;
  readonly records: number;
  readonly why?: string;
}

export function registerPrune(node: Command): void {
  node
    .command("prune")
    .description(
      "let go of old records of a stopped node; headers, certificates and anchors stay, receipts still verify",
    )
    .argument("<config>", "the node's node.json, or its folder")
    .option(
      "--prune-before <height>",
      "blocks below this height, the newest 64 excepted",
      whole(1, Number.MAX_SAFE_INTEGER),
    )
    .option("--older-than <duration>", "instead: blocks that are older than 400d, 52w or 12h", duration)
    .option("--service <name>", "of one chain, by its name or number; of all where absent")
    .option("--dry-run", "say what would go, and let go of nothing")
    .option("--yes", "also where the height is above what a chain has")
    .option("--json", "print JSON")
    .action(prune);
}

async function prune(path: string, options: PruneOptions): Promise<void> {
  if ((options.pruneBefore === undefined) === (options.olderThan === undefined)) {
    throw new GridsealError("USAGE", "name either --prune-before or --older-than");
  }
  const { chains, disk, data } = await withProgress((tell) => letGo(path, options, tell));
  if (options.json) return printLines([toJson({ chains, disk })]);
  const did = options.dryRun ? "would let go of" : "let go of";
  printLines([
    ...chains.map(({ name, before, records, blocks, why }) =>
      why === undefined
        ? `${name}: ${did} ${countText(records, "record")} in ${countText(blocks, "block")} below height ${before}`
        : `${name}: ${did} nothing below height ${before}: ${why}`,
    ),
    ...(disk === undefined
      ? []
      : [`${data}: ${megabytes(disk.before_bytes)} before, ${megabytes(disk.after_bytes)} now`]),
  ]);
}

/** What went of each chain, or would, and what the disk got back. */
async function letGo(path: string, options: PruneOptions, tell: (step: Step) => void) {
  const { configuration, genesis, owner } = await readOwner(path);
  const { data } = configuration;
  const [{ openStore }, { pruneChain, prunableOf, reasonToKeep }, { createGovernor }, { compactStore }] =
    await Promise.all([
      import("../../node/store/open-store.js"),
      import("../../node/store/prune.js"),
      import("../../node/chain/sealed-orders.js"),
      import("../../node/store/compact.js"),
    ]);
  const unlock = await lockFolder(data, "node");
  try {
    const store = await openStore(data, owner, true);
    const chains: Gone[] = [];
    try {
      const all = createGovernor(genesis, store).current.chains.map(({ chain }) => chain);
      const chosen = options.service === undefined ? all : [chainNamed({ ...genesis, chains: all }, options.service)];
      for (const { chain, before } of await cutsOf(store, chosen, options)) {
        const { service, name } = chain;
        tell({ what: `going over ${name}` });
        const of = options.dryRun ? prunableOf(store, service, before) : await pruneChain(store, service, before);
        const why = of.blocks === 0 ? { why: reasonToKeep(store, service, before) } : {};
        chains.push({ service, name, before, ...of, ...why });
      }
    } finally {
      await store.close();
    }
    tell({ what: `copying what is left of ${data}` });
    return { chains, data, disk: options.dryRun ? undefined : await compactStore(data) };
  } finally {
    await unlock();
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Where each chain is cut. Throws USAGE where a height is above what a chain has, as by a typing error. */
async function cutsOf(store: Store, chains: readonly GenesisChain[], options: PruneOptions): Promise<readonly Cut[]> {
  const { heightOf, heightSince } = await import("../../node/store/prune.js");
  const { pruneBefore, olderThan, yes } = options;
  if (pruneBefore === undefined) {
    const since_s = Math.floor(Date.now() / 1_000) - olderThan!;
    return chains.map((chain) => ({ chain, before: heightSince(store, chain.service, since_s) }));
  }
  const beyond = chains.filter(({ service }) => pruneBefore > heightOf(store, service));
  if (beyond.length > 0 && !yes) {
    const heights = beyond.map(({ service, name }) => `${name} ${heightOf(store, service)}`).join(", ");
    throw new GridsealError(
      "USAGE",
      `${pruneBefore} is above the newest block of ${heights}: name one with --service, a duration with --older-than, or add --yes`,
    );
  }
  return chains.map((chain) => ({ chain, before: pruneBefore }));
}

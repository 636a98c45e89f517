// `gridseal node repair`: checks a stopped node's store; a damaged one is set aside and the chains
// are fetched from the peers.

import { setTimeout as pause } from "node:timers/promises";
import type { Command } from "commander";
import { lockFolder } from "../../files/lock.js";
import type { NodeConfiguration } from "../../node/configuration.js";
import type { Node } from "../../node/node.js";
import { printLines, printNote, toJson } from "../../terminal/output.js";
import { withProgress } from "../../terminal/progress.js";
import { readOwner } from "./owner.js";

/** How often a node that is being repaired is looked at, and how often its user is told. */
const LOOK_MS = 100;
const SAY_MS = 1_000;
/** What is missing of readings' disclosures is waited for as long as some of it comes in so long. */
const STILL_MS = 10_000;

export function registerRepair(node: Command): void {
  node
    .command("repair")
    .description("check a stopped node's store; where it is damaged, set it aside and fetch the chains from the peers")
    .argument("<config>", "the node's node.json, or its folder")
    .option("--json", "print JSON")
    .action(repair);
}

async function repair(path: string, { json }: { readonly json?: true }): Promise<void> {
  const { configuration, genesis, owner } = await readOwner(path);
  const { findDamage, replaceStore } = await import("../../node/store/repair.js");
  const unlock = await lockFolder(configuration.data, "node");
  let found: string | undefined;
  let salvaged: Awaited<ReturnType<typeof replaceStore>> | undefined;
  try {
    found = await withProgress((tell) => {
      tell({ what: `checking ${configuration.data}` });
      return findDamage(configuration.data, owner, genesis);
    });
    if (found !== undefined) salvaged = await replaceStore(configuration.data, owner, genesis, new Date());
  } finally {
    await unlock();
  }
  if (salvaged === undefined)
    return printLines([
      json ? toJson({ damage: null }) : `${configuration.data} is whole; next: gridseal node run ${path}`,
    ]);
  const { aside, rows } = salvaged;
  if (!json) {
    printLines([`damaged: ${found}`, `set aside in ${aside}`, `taken over: ${takenOver(rows)}`]);
  }
  const { heights, missing } = await fetchChains(configuration);
  if (json) return printLines([toJson({ damage: found, aside, ...rows, chains: heights, missing })]);
  printLines([
    ...heights.map(({ name, height }) => `${name}: ${height} blocks from the peers`),
    ...missing.map(
      ({ name, disclosures, shares }) =>
        `${name}: ${disclosures} readings lack sealed disclosures, ${shares} envelopes a share: the node asks on`,
    ),
    `next: gridseal node run ${path}`,
  ]);
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

/**
 * Runs the node until it has what its peers had at first, and what readings hide as far as peers have it. Says on standard error how far
 * it is.
 */
async function fetchChains(configuration: NodeConfiguration) {
  const [{ startNode }, { describeLevel, isLevel, lookAt, noLevel }] = await Promise.all([
    import("../../node/node.js"),
    import("../../node/store/level.js"),
  ]);
  const node = await startNode({ ...configuration, log: "error" });
  try {
    let level = noLevel;
    let said_ms = performance.now();
    for (;;) {
      const chains = node.fetched();
      level = lookAt(level, chains, performance.now());
      if (isLevel(level, chains)) {
        const missing = await fetchMissing(node);
        return { heights: chains.map(({ name, height }) => ({ name, height })), missing };
      }
      if (performance.now() - said_ms >= SAY_MS) {
        said_ms = performance.now();
        printNote(`fetching from the peers: ${describeLevel(level, chains)}`);
      }
      const failure = await Promise.race([node.failed.then((reason) => ({ reason })), pause(LOOK_MS)]);
      if (failure !== undefined) throw failure.reason;
    }
  } finally {
    await node.stop();
  }
}

/** Waits while disclosures come; resolves to what is missing still, of each chain. */
async function fetchMissing(node: Pick<Node, "missing" | "failed">) {
  let left = Number.POSITIVE_INFINITY;
  let changed_ms = performance.now();
  for (;;) {
    const chains = node.missing();
    const count = chains.reduce((sum, { disclosures, shares }) => sum + disclosures.count + shares.count, 0);
    if (count < left || !chains.every(({ isKnown }) => isKnown)) changed_ms = performance.now();
    left = count;
    const isOver = performance.now() - changed_ms >= (count === 0 ? 0 : STILL_MS);
    if (isOver && chains.every(({ isKnown }) => isKnown)) {
      const open = chains.filter(({ disclosures, shares }) => disclosures.count + shares.count > 0);
      return open.map(({ name, disclosures, shares }) => ({
        name,
        disclosures: disclosures.count,
        shares: shares.count,
      }));
    }
    const failure = await Promise.race([node.failed.then((reason) => ({ reason })), pause(LOOK_MS)]);
    if (failure !== undefined) throw failure.reason;
  }
}

// The data monitoring layer: it holds no key, follows every chain of several nodes over their APIs, audits as it goes, runs all contracts
// again and holds the nodes against each other. It supervises for as long as it runs.

import { toHex } from "../../src/wire/bytes.js";
import type { Genesis } from "../../src/wire/genesis.js";
import type { AuditedBlock, AuditReport } from "../audit/audit.js";
import { GridsealError, reasonOf } from "../errors.js";
import { contractsAt } from "../ledger/contract-orders.js";
import { governedChain } from "../ledger/governance.js";
import { createChainContracts } from "../node/contracts/node-contracts.js";
import { health as healthShape } from "../routes/health.js";
import { openApiSource } from "../sources/api.js";
import { askValue } from "../sources/client.js";
import type { ReceiptSource } from "../sources/source.js";
import type { Alarm } from "./alarms.js";
import { followChain, Ground, headerOf, pause } from "./chain-follower.js";
import { stateComplaint } from "./states.js";
import { createWatch, type Sight, type Told, type Watch } from "./watch.js";

const LOOK_EVERY_MS = 1_000;
/** A chain that was found wrong is audited anew after so long. */
const AGAIN_MS = 30_000;
const LOOK_PATIENCE_MS = 5_000;

export interface MonitorOptions {
  readonly genesis: Genesis;
  /** URLs of the nodes' APIs */
  readonly nodes: readonly string[];
  readonly signal: AbortSignal;
  onTold(told: Told): void;
}

/** How far each chain of each node has been audited. */
export interface Progress {
  readonly node: string;
  readonly service: number;
  height: number;
  records: number;
}

export interface Monitor {
  readonly watch: Watch;
  readonly progress: readonly Progress[];
  /** resolves when the signal has ended it */
  readonly ended: Promise<void>;
}

export function startMonitor(options: MonitorOptions): Monitor {
  const watch = createWatch();
  const progress: Progress[] = [];
  const contracts = createChainContracts();
  const tell = (sight: Sight) => {
    for (const told of watch.step(sight, Date.now())) options.onTold(told);
  };
  const nodes = options.nodes.map((url) =>
    watchNode({ ...options, source: openApiSource(url), url, tell, progress, run: contracts.run }),
  );
  return { watch, progress, ended: Promise.all(nodes).then(() => contracts.close()) };
}

interface WatchedNode extends MonitorOptions {
  readonly url: string;
  readonly source: ReceiptSource;
  readonly progress: Progress[];
  readonly run: ReturnType<typeof createChainContracts>["run"];
  tell(sight: Sight): void;
}

async function watchNode(node: WatchedNode): Promise<void> {
  const ground = new Ground(node.genesis);
  const following = new Map<number, Promise<void>>();
  while (!node.signal.aborted) {
    try {
      const health = await askValue(node.url, healthShape, { parameters: {}, patience_ms: LOOK_PATIENCE_MS });
      node.tell({ type: "seen", node: node.url, chains: health.chains, health });
      for (const { service } of health.chains) {
        if (!following.has(service)) following.set(service, keepFollowing(node, service, ground));
      }
      await lookAtStates(node, ground);
    } catch (error) {
      node.tell({ type: "unreached", node: node.url, reason: reasonOf(error) });
    }
    await pause(LOOK_EVERY_MS);
  }
  await Promise.all(following.values());
}

async function keepFollowing(node: WatchedNode, service: number, ground: Ground): Promise<void> {
  const place: Progress = { node: node.url, service, height: 0, records: 0 };
  node.progress.push(place);
  while (!node.signal.aborted) {
    const alarm = await followOnce(node, service, ground, place);
    if (alarm === undefined) continue;
    node.tell({ type: "found", alarm });
    const until_ms = performance.now() + AGAIN_MS;
    while (performance.now() < until_ms && !node.signal.aborted) await pause(LOOK_EVERY_MS);
  }
}

/** Undefined where nobody wants it any more, or the chain is not known yet. */
async function followOnce(
  node: WatchedNode,
  service: number,
  ground: Ground,
  place: Progress,
): Promise<Alarm | undefined> {
  const governed = governedChain(ground.governance, service);
  if (governed === undefined) {
    await pause(LOOK_EVERY_MS);
    return undefined;
  }
  const wrong = { kind: "wrong-block", node: node.url, service } as const;
  const started_ms = Date.now();
  place.height = 0;
  place.records = 0;
  try {
    const report = await followChain({
      ...{ genesis: node.genesis, chain: governed.chain, source: node.source, ground, run: node.run },
      signal: node.signal,
      onBlock: (audited) => noteBlock(node, audited, { place, started_ms }),
    });
    return alarmOf(node.url, report);
  } catch (error) {
    const isLie = error instanceof GridsealError && error.code === "CHAIN_INVALID";
    return isLie ? { ...wrong, what: error.message } : { ...wrong, kind: "unreachable", what: reasonOf(error) };
  }
}

function noteBlock(
  { tell, url }: WatchedNode,
  audited: AuditedBlock,
  { place, started_ms }: { readonly place: Progress; readonly started_ms: number },
): void {
  const { chain: service, height, time_ms, batches, lock_ms } = audited.block;
  place.height = height;
  place.records += batches.reduce((sum, { records }) => sum + records.length, 0);
  const block = { service, height, header: headerOf(audited), time_ms };
  tell({ type: "audited", node: url, block, isNew: lock_ms > started_ms });
}

function alarmOf(node: string, { service, name, firstProblem }: AuditReport): Alarm | undefined {
  if (firstProblem === undefined) return undefined;
  const { height, what, lacks } = firstProblem;
  const kind = lacks === undefined ? "wrong-block" : "incomplete";
  return { kind, node, service, what: `${name}, block ${height}: ${what}` };
}

/** Of each chain's contracts in force, as its orders have them. */
async function lookAtStates(node: WatchedNode, { governance, contractsHeight }: Ground): Promise<void> {
  for (const { chain } of governance.chains) {
    const at = node.progress.find(({ node: url, service }) => url === node.url && service === chain.service);
    const place = { service: chain.service, height: (at?.height ?? 0) + 1, judgedAt: contractsHeight };
    for (const { install } of contractsAt(governance.contracts, place)) {
      const asked = { genesis: node.genesis, source: node.source, service: chain.service, contract: install.name };
      const what = await stateComplaint(asked);
      const alarm = { kind: "wrong-state", node: node.url, service: chain.service } as const;
      node.tell(what === undefined ? { type: "mended", alarm } : { type: "found", alarm: { ...alarm, what } });
    }
  }
}

/** The genesis by its hash, as lines and metrics name it. */
export function genesisName({ hash }: Genesis): string {
  return toHex(hash).slice(0, 16);
}

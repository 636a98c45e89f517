// The data monitoring layer: it holds no key, follows every chain of several nodes over their APIs, audits as it goes, runs all contracts
// again and holds the nodes against each other. It supervises for as long as it runs.

import { toHex } from "../../src/wire/bytes.js";
import type { Genesis } from "../../src/wire/genesis.js";
import { noticesOf } from "../../src/wire/notice.js";
import { type Order, readOrder } from "../../src/wire/order.js";
import type { AuditedBlock, AuditReport } from "../audit/audit.js";
import { GridsealError, reasonOf } from "../errors.js";
import type { TokenFor } from "../files/holder-folder.js";
import { contractsAt } from "../ledger/contract-orders.js";
import { type Governance, governedChain, holderStanding } from "../ledger/governance.js";
import { createChainContracts } from "../node/contracts/node-contracts.js";
import { health as healthShape } from "../routes/health.js";
import { openApiSource } from "../sources/api.js";
import { askValue } from "../sources/client.js";
import type { ReceiptSource } from "../sources/source.js";
import type { Alarm } from "./alarms.js";
import { type AnswerChecks, createAnswerChecks } from "./answers.js";
import { budgetsIn } from "./budgets.js";
import { followChain, Ground, headerOf, pause, type Received } from "./chain-follower.js";
import { metersIn } from "./lateness.js";
import { createLooks, type Looked, type Looks } from "./looks.js";
import type { Marks } from "./marks.js";
import { createStateRounds, type StateRounds } from "./state-rounds.js";
import { createWatch, type RulesOrder, type Sight, type Told, type Watch } from "./watch.js";

const LOOK_EVERY_MS = 1_000;
/** A chain that was found wrong is audited anew after so long. */
const AGAIN_MS = 30_000;
const LOOK_PATIENCE_MS = 5_000;
const WRITE_EVERY_MS = 15_000;

export interface MonitorOptions {
  readonly genesis: Genesis;
  /** URLs of the nodes' APIs */
  readonly nodes: readonly string[];
  readonly signal: AbortSignal;
  /** where nodes ask for one */
  readonly tokenFor?: TokenFor | undefined;
  readonly marks: Marks;
  onTold(told: Told): void;
  /** what stands in the monitor's own way */
  onTrouble(reason: string): void;
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
  /** Somebody knows of the alarm; false where none of that id stands. */
  acknowledge(id: string): boolean;
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
  const common = { ...options, tell, progress, run: contracts.run };
  const nodes = options.nodes.map((url) =>
    watchNode({
      ...{ ...common, source: openApiSource(url, options.tokenFor), url },
      ...{ rounds: createStateRounds(), answers: createAnswerChecks(), looks: createLooks(isRefused) },
      newest: new Map(),
    }),
  );
  const ended = Promise.all([...nodes, keepMarks(options)]).then(() => contracts.close());
  return {
    watch,
    progress,
    ended,
    acknowledge(id) {
      const isOpen = watch.open.some((alarm) => alarm.id === id);
      tell({ type: "acknowledged", id });
      return isOpen;
    },
  };
}

async function keepMarks({ marks, signal, onTrouble }: MonitorOptions): Promise<void> {
  for (let next_ms = 0; ; ) {
    if (signal.aborted || performance.now() > next_ms) {
      await marks.write().catch((error: unknown) => onTrouble(reasonOf(error)));
      next_ms = performance.now() + WRITE_EVERY_MS;
    }
    if (signal.aborted) return;
    await pause(LOOK_EVERY_MS);
  }
}

interface WatchedNode extends MonitorOptions {
  readonly url: string;
  readonly source: ReceiptSource;
  readonly progress: Progress[];
  readonly run: ReturnType<typeof createChainContracts>["run"];
  readonly rounds: StateRounds;
  readonly answers: AnswerChecks;
  readonly looks: Looks;
  /** by service: the newest height that it told when it was first looked at */
  readonly newest: Map<number, number>;
  tell(sight: Sight): void;
}

async function watchNode(node: WatchedNode): Promise<void> {
  const ground = new Ground(node.genesis);
  const following = new Map<number, Promise<void>>();
  while (!node.signal.aborted) {
    try {
      const health = await askValue(node.url, healthShape, { parameters: {}, patience_ms: LOOK_PATIENCE_MS });
      // A node may name any chains: those count that the genesis or a verified order has founded.
      const chains = health.chains.filter(({ service }) => governedChain(ground.governance, service) !== undefined);
      for (const { service, height } of chains) {
        if (!node.newest.has(service)) node.newest.set(service, height);
      }
      node.tell({ type: "seen", node: node.url, chains, health });
      for (const { service } of chains) {
        if (!following.has(service)) following.set(service, keepFollowing(node, service, ground));
      }
      await lookAtAnswers(node, ground);
      node.tell({ type: "mended", alarm: { kind: "not-admitted", node: node.url, service: undefined } });
    } catch (error) {
      const alarm = { kind: "not-admitted", node: node.url, service: undefined, what: reasonOf(error) } as const;
      if (isRefused(error)) node.tell({ type: "found", alarm });
      else node.tell({ type: "unreached", node: node.url, reason: reasonOf(error) });
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
    if (alarm.kind === "wrong-block") node.marks.forget(node.url, service);
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
  place.height = 0;
  place.records = 0;
  try {
    const report = await followChain({
      ...{ genesis: node.genesis, chain: governed.chain, source: node.source, ground, run: node.run },
      ...{ signal: node.signal, audited: node.marks.of(node.url, service) },
      onBlock: (audited, received) => noteBlock(node, audited, { place, received }),
    });
    return alarmOf(node.url, report);
  } catch (error) {
    const isLie = error instanceof GridsealError && error.code === "CHAIN_INVALID";
    if (isLie) return { ...wrong, what: reasonOf(error), height: place.height + 1 };
    return { ...wrong, kind: isRefused(error) ? "not-admitted" : "unreachable", what: reasonOf(error) };
  }
}

function isRefused(error: unknown): boolean {
  return error instanceof GridsealError && error.code === "NOT_ADMITTED";
}

function noteBlock(
  node: WatchedNode,
  audited: AuditedBlock,
  { place, received }: { readonly place: Progress; readonly received: Received },
): void {
  const { chain: service, height, time_ms, batches, anchors } = audited.block;
  const records = batches.flatMap((batch) => batch.records);
  place.height = height;
  place.records += records.length;
  const mark = node.marks.of(node.url, service);
  if (mark === undefined || height > mark.height)
    node.marks.note(node.url, service, { height, header: audited.header });
  const block = {
    ...{ service, height, header: headerOf(audited), time_ms },
    meters: metersIn(records),
    anchors: anchors.map(({ chain, height: at, headerHash }) => ({
      service: chain,
      height: at,
      header: toHex(headerHash),
    })),
  };
  // Nothing that a node writes beside what is hashed counts, and a height that it invents lasts no longer than its first listing.
  const isNew = received.none_ms !== undefined || height > (node.newest.get(service) ?? Number.POSITIVE_INFINITY);
  node.tell({ type: "audited", node: node.url, block, ...(isNew && { received }) });
  for (const spent of budgetsIn(audited.block)) node.tell({ type: "spent", spent });
  if (isNew) {
    node.rounds.note(service, audited.written);
    node.answers.note(audited.block);
  }
  const orders = batches.flatMap(({ notices }) => noticesOf(notices, "order").map((bytes) => readOrder(bytes)));
  if (orders.length === 0) return;
  node.tell({ type: "retired", meters: retiredIn(audited.governance) });
  for (const order of isNew ? orders.flatMap(rulesIn) : []) node.tell({ type: "ordered", order });
}

/** What an order changes of the rules of a chain. */
function rulesIn({ number, action }: Order): readonly RulesOrder[] {
  switch (action.type) {
    case "install":
      return [{ number, ...action, what: `installs ${action.name} ${action.version}` }];
    case "retire":
      return [{ number, ...action, what: `retires ${action.name}` }];
    case "parameters": {
      const where = action.jurisdiction === undefined ? "" : ` for ${action.jurisdiction}`;
      return [{ number, ...action, what: `sets other parameters of ${action.contract}${where}` }];
    }
    default:
      return [];
  }
}

/** Meters of which nothing more comes, or nothing for now. */
function retiredIn(governance: Governance): string[] {
  const ruled = [...governance.revoked.keys(), ...governance.rulings.keys()];
  return ruled.filter((meter) => holderStanding(governance, meter) !== "good");
}

function alarmOf(node: string, { service, name, firstProblem }: AuditReport): Alarm | undefined {
  if (firstProblem === undefined) return undefined;
  const { height, what, lacks } = firstProblem;
  const kind = lacks === undefined ? "wrong-block" : "incomplete";
  return { kind, node, service, what: `${name}, block ${height}: ${what}`, height };
}

/** Whether what the node answers about its chains is what they have sealed: one that fails holds up no other. */
async function lookAtAnswers(node: WatchedNode, ground: Ground): Promise<void> {
  const { governance, contractsHeight } = ground;
  for (const { chain } of governance.chains) {
    const at = node.progress.find(({ node: url, service }) => url === node.url && service === chain.service);
    const place = { service: chain.service, height: (at?.height ?? 0) + 1, judgedAt: contractsHeight };
    const states: Looked[] = [];
    for (const { install } of contractsAt(governance.contracts, place)) {
      const asked = { genesis: node.genesis, source: node.source, service: chain.service, contract: install.name };
      states.push(await node.looks.look(`${chain.name}/${install.name}`, () => node.rounds.look(asked)));
    }
    const { service, name } = chain;
    const answers = [await node.looks.look(`blocks of ${name}`, () => node.answers.look(node.source, service))];
    report(
      node,
      { kind: "wrong-state", service },
      states.flatMap(({ wrong }) => wrong ?? []),
    );
    report(
      node,
      { kind: "wrong-answer", service },
      answers.flatMap(({ wrong }) => wrong ?? []),
    );
    report(
      node,
      { kind: "unseen", service },
      [...states, ...answers].flatMap(({ unseen }) => unseen ?? []),
    );
  }
}

/** It stands while there is something to say. */
function report(node: WatchedNode, alarm: Pick<Alarm, "kind" | "service">, said: readonly string[]): void {
  const named = { ...alarm, node: node.url };
  if (said.length === 0) node.tell({ type: "mended", alarm: named });
  else node.tell({ type: "found", alarm: { ...named, what: said.join("; ") } });
}

/** The genesis by its hash, as lines and metrics name it. */
export function genesisName({ hash }: Genesis): string {
  return toHex(hash).slice(0, 16);
}

// What the parts of a node share: who the node is, its store and chains, how it is looked after; and the mailboxes of what is made
// last, its links, its ingest and its API.

import { setImmediate } from "node:timers/promises";
import type { Logger } from "pino";
import { toHex } from "../../src/wire/bytes.js";
import type { Role } from "../../src/wire/credential.js";
import type { GenesisChain } from "../../src/wire/genesis.js";
import { localTimeouts } from "../consensus/types.js";
import { nodeCiphers } from "../crypto/ciphers.js";
import type { DeliveryKeys } from "../crypto/hpke.js";
import { nodeVerify } from "../crypto/signatures.js";
import { verifyAsync, verifyOfAnybody, verifyRecords, verifyRecordsLater } from "../crypto/verifying.js";
import { GridsealError } from "../errors.js";
import type { RunResult } from "../ledger/outcome.js";
import type { RunPlan } from "../ledger/run-plan.js";
import { createTokenJudge, type TokenJudge } from "./admission/token-judge.js";
import type { Api } from "./api/server.js";
import { anchorsBeside } from "./chain/blocks/anchoring.js";
import type { Chain } from "./chain/chain.js";
import type { ChainPorts } from "./chain/ports.js";
import { createGovernor, type Governor } from "./chain/sealed-orders.js";
import type { NodeConfiguration } from "./configuration.js";
import { createNodeContracts, type NodeContracts } from "./contracts/node-contracts.js";
import { readersOf } from "./disclosures/chain-policy.js";
import { createDisclosures, type Disclosures } from "./disclosures/disclosures.js";
import { createStandings } from "./disclosures/standings.js";
import type { Identity } from "./identity.js";
import { createIntroductions, type Introductions } from "./ingest/handovers.js";
import type { Ingest } from "./ingest/ingest.js";
import { createReceipts, type Receipts } from "./ingest/receipts.js";
import { createMailbox, type Mailbox } from "./mailbox.js";
import type { PeerNetwork } from "./network/peer-network.js";
import { createRunningChains, type RunningChains } from "./parts/chains/running-chains.js";
import type { Store } from "./store/store.js";
import { createTimers } from "./timers.js";
import { createHealthWatch, type HealthWatch, type watchWrites } from "./watch/health-watch.js";
import { createMetrics, type Metrics, watchProcess } from "./watch/metrics.js";

/** What stands before any part or chain is made. */
interface Ground {
  readonly configuration: NodeConfiguration;
  readonly identity: Identity;
  /** this node's id as hex */
  readonly selfId: string;
  readonly store: Store;
  readonly governor: Governor;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly timers: ReturnType<typeof createTimers>;
  readonly contracts: NodeContracts;
  readonly links: Mailbox<PeerNetwork>;
  readonly ingest: Mailbox<Ingest>;
  readonly api: Mailbox<Pick<Api, "broadcast">>;
  /** all parts, told of sealed blocks */
  readonly sealing: Mailbox<Pick<ChainPorts, "onSealed">>;
  readonly runningChains: Mailbox<RunningChains>;
  /** Settles with what the node stops for. */
  readonly failed: Promise<unknown>;
  onFatal(error: unknown): void;
}

export interface NodeServices extends Ground {
  readonly running: RunningChains;
  readonly chains: ReadonlyMap<number, Chain>;
  readonly receipts: Receipts;
  readonly introductions: Introductions;
  readonly health: HealthWatch;
  readonly tokens: TokenJudge;
  readonly disclosures: Disclosures;
  /** Roles that read the chain; undefined where its policy names none. */
  readersOf(service: number): readonly Role[] | undefined;
}

interface Custody {
  /** what shares of day keys are sealed to for this node */
  readonly custody: DeliveryKeys;
}

/** Throws STORE_CORRUPT where what is stored does not fit together. */
export function createServices(
  configuration: NodeConfiguration,
  { custody, ...identity }: Identity & Custody,
  { store, writes }: ReturnType<typeof watchWrites>,
  log: Logger,
): NodeServices {
  const ground = createGround(configuration, identity, store, log);
  const { network } = identity.genesis;
  const { links, ingest, metrics, governor, selfId } = ground;
  const running = createRunningChains({
    governor,
    store,
    self: identity.self.id,
    portsOf: (chain) => portsOf(ground, chain, (contract) => health.onEndless(chain.service, contract)),
    onChain() {
      // Before ingest there is nobody to tell.
      if (ingest.isOpen) ingest.to.serve(servedServices({ selfId, chains: ground.runningChains.to.chains }));
    },
  });
  ground.runningChains.open(running);
  const { chains, nameOf } = running;
  running.follow(configuration.follow);
  const { contractsOf, ...standings } = createStandings({ chains, governor });
  const disclosures = createDisclosures({
    ...{ genesis: identity.genesis, signer: identity.signer, self: identity.self.id, custody, store, log },
    ...standings,
    verify: nodeVerify,
    ciphers: nodeCiphers,
    connected: () => links.to.connected(),
    send: (node, frame) => void links.to.send(node, frame),
    unsent_bytes: (node) => links.to.unsent_bytes(node),
    charge: (node, work, amount) => links.to.charge(node, work, amount),
    chains: () => [...chains.keys()],
    onFatal: ground.onFatal,
    now_ms: () => health.now_ms(),
    after: callBack,
    afterOthers: () => setImmediate(),
  });
  const health = createHealthWatch({
    ...{ self: selfId, chains, nameOf, writes, metrics, log },
    connected: () => links.to.connected(),
    unusableCustodians: () => disclosures.unusable(),
    missingOf: (chain) => disclosures.missing.of(chain),
    connections: () => (ingest.isOpen ? ingest.to.counters().connections : 0),
    nodeNames: () => new Map([...governor.current.nodes].map(([id, { name }]) => [id, name])),
    folder: configuration.data,
  });
  return {
    ...ground,
    ...{ running, chains, health },
    tokens: createTokenJudge({
      genesis: identity.genesis,
      governance: () => governor.current,
      now_ms: () => health.now_ms(),
      verify: verifyOfAnybody,
    }),
    receipts: createReceipts(network, store),
    disclosures,
    readersOf: (service) => readersOf(contractsOf(service)),
    introductions: createIntroductions(network, store, (topic, payload, to) => {
      ingest.to.publish(topic, payload, to);
    }),
  };
}

function createGround(configuration: NodeConfiguration, identity: Identity, store: Store, log: Logger): Ground {
  const runningChains = createMailbox<RunningChains>("the chains");
  const metrics = createMetrics();
  watchProcess(metrics);
  let fail: (reason: unknown) => void;
  const failed = new Promise<unknown>((resolve) => {
    fail = resolve;
  });
  return {
    ...{ configuration, identity, store, log, runningChains, failed },
    selfId: toHex(identity.self.id),
    governor: createGovernor(identity.genesis, store),
    metrics,
    timers: createTimers(),
    contracts: createNodeContracts(),
    links: createMailbox<PeerNetwork>("the links"),
    ingest: createMailbox<Ingest>("ingest"),
    api: createMailbox<Pick<Api, "broadcast">>("the API"),
    sealing: createMailbox<Pick<ChainPorts, "onSealed">>("the parts"),
    onFatal(error) {
      // Of what was under way when the node was stopped: nobody waits for it.
      if (error instanceof GridsealError && error.code === "STORE_CLOSED") return;
      log.error({ err: error }, "the node stops");
      runningChains.to.stop();
      fail(error);
    },
  };
}

function portsOf(ground: Ground, chain: GenesisChain, onEndless: (contract: string) => void): ChainPorts {
  const { identity, store, governor, configuration, links, sealing, runningChains } = ground;
  const { genesis, signer, self } = identity;
  const scope = ground.timers.scope(String(chain.service));
  return {
    ...{ genesis, chain, self, signer, store, governor },
    timeouts: localTimeouts,
    batch: configuration.batch,
    log: ground.log.child({ chain: chain.name }),
    verify: nodeVerify,
    verifyAsync,
    verifyRecords,
    verifyRecordsLater,
    async runContracts(plan, unwanted) {
      const results = await ground.contracts.of(chain.service).run(plan, unwanted);
      noteRuns(ground.metrics, chain.service, { plan, results, onEndless });
      return results;
    },
    onRunFault: () => ground.metrics.contractFaults.inc(),
    onDisagreement({ code, message, remedy }) {
      ground.metrics.contractFaults.inc();
      ground.log.error({ code, reason: message, remedy, chain: chain.name }, "the chain goes on without this node");
    },
    now_ms: Date.now,
    monotonic_ms: () => performance.now(),
    setTimer: (name, delay_ms, callback) =>
      scope.set(name, delay_ms, () => {
        try {
          callback();
        } catch (error) {
          ground.onFatal(error); // as of a damaged row that it reads
        }
      }),
    clearTimer: scope.clear,
    peers: () => links.to.connected(),
    send: (node, frame) => void links.to.send(node, frame),
    unsent_bytes: (node) => links.to.unsent_bytes(node),
    charge: (node, work, amount) => links.to.charge(node, work, amount),
    onDropped: (reason) => ground.metrics.peerMessagesDropped.inc({ reason }),
    anchors: () => anchorsBeside(chain.service, runningChains.to.chains),
    onSealed: (sealed, waited_ms) => sealing.to.onSealed(sealed, waited_ms),
    onFatal: ground.onFatal,
  };
}

/** Keeps no process alive. */
function callBack(delay_ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delay_ms);
  timer.unref();
  return () => clearTimeout(timer);
}

/** A node that only follows takes no records. */
export function servedServices({ selfId, chains }: Pick<NodeServices, "selfId" | "chains">): number[] {
  return [...chains].flatMap(([service, chain]) => (chain.hasMember(selfId) ? [service] : []));
}

/** Counts what runs of a block came to that an operator wants to know of. */
function noteRuns(
  { runsPostponed, runsEndless }: Pick<Metrics, "runsPostponed" | "runsEndless">,
  service: number,
  { plan, results, onEndless }: Runs,
): void {
  const labels = { service: String(service) };
  results.forEach((result, at) => {
    if (result.type === "postponed") runsPostponed.inc(labels);
    if (result.type !== "failed" || result.reason !== "hops") return;
    runsEndless.inc(labels);
    onEndless(plan.contracts[plan.calls[at]!.contract]!.name);
  });
}

interface Runs {
  readonly plan: RunPlan;
  readonly results: readonly RunResult[];
  /** A run of this contract failed, as messages have no end. */
  onEndless(contract: string): void;
}

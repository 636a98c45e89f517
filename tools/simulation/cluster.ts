// A whole cluster and its meters in one process, from one seed: faults for a while, then calm, in which everything that was promised
// must be sealed on every correct node, and then silence. Throws a Violation where an invariant does not hold.

import { toHex } from "../../src/wire/bytes.js";
import type { GenesisChain } from "../../src/wire/genesis.js";
import { reasonOf } from "../errors.js";
import { localTimeouts } from "../node/consensus/types.js";
import { type Court, createCourt } from "./court.js";
import { type Coverage, createCoverage } from "./coverage.js";
import { createFaults } from "./faults.js";
import { createGenesis } from "./genesis.js";
import { checkBounds, checkStates } from "./holdings.js";
import { digestOf } from "./keys.js";
import { createLedger } from "./ledger.js";
import type { MeterWorld, SimulatedMeter } from "./meter.js";
import type { Mutant } from "./mutants.js";
import { calm, createNetwork } from "./network.js";
import type { SimulatedNode } from "./node.js";
import type { ClusterOptions } from "./options.js";
import { createMeters, createNodes, hostileMembers, isCorrect } from "./population.js";
import { createRandom } from "./random.js";
import { kindOf } from "./statements.js";
import { createTimeline } from "./timeline.js";
import { createTrace } from "./trace.js";
import { Violation } from "./violation.js";
import { createWitness } from "./witness.js";

/** After the faults everything must be sealed everywhere within this time. */
const LIVENESS_MS = 240_000;
/** An agent waits longer the more often it has asked in vain: all its receipts are there within this time. */
const RECEIPTS_MS = 1_800_000;
const SETTLE_MS = 20_000;
const IDLE_MS = 70_000;

/** What happened; the same for the same seed. */
export interface ClusterReport extends Readonly<Coverage> {
  readonly healed_ms: number;
  readonly traceHash: number;
}

/** Runs one seed to its end; `onLine` sees every line of the trace. */
export async function runCluster(
  options: ClusterOptions,
  mutant?: Mutant,
  onLine?: (line: string) => void,
): Promise<ClusterReport> {
  const cluster = createCluster(options, mutant, onLine);
  const onRejection = (reason: unknown) => cluster.fail("unhandled rejection", reasonOf(reason));
  process.on("unhandledRejection", onRejection);
  try {
    return await run(cluster);
  } finally {
    process.off("unhandledRejection", onRejection);
  }
}

type Cluster = ReturnType<typeof createCluster>;

function createCluster(options: ClusterOptions, mutant: Mutant | undefined, onLine?: (line: string) => void) {
  const random = createRandom(options.seed);
  const timeline = createTimeline();
  const { say: trace, ...traced } = tracing(timeline.now_ms, onLine);
  const { genesis, signers, authority } = createGenesis(options);
  const coverage = createCoverage();
  const nodes: SimulatedNode[] = [];
  const meters: SimulatedMeter[] = [];
  const idle = { sends: 0, others: 0 };
  let violation: Violation | undefined;
  let isCalm = false;

  const fail = (invariant: string, detail: string) => {
    violation ??= new Violation(invariant, detail, traced.recent());
  };
  const faulty = new Set(hostileMembers(genesis, options).map(({ id }) => toHex(id)));
  const ledger = createLedger(genesis, faulty, fail);
  const witness = createWitness(genesis, faulty, fail);
  const network = createNetwork({
    timeline,
    random,
    coverage,
    nodes,
    kindOf,
    onSend(from, to, kind, frame, fate) {
      trace(`${from.label}>${to.label} ${kind} ${frame.length} ${digestOf(frame).toString(16)} ${fate}`);
      idle.sends += 1;
      if (kind !== "status") idle.others += 1;
    },
  });
  const court: Court = createCourt({
    genesis,
    timeline,
    random,
    network,
    ledger,
    witness,
    coverage,
    meters,
    mutant,
    fail,
    onStopped: (node) => faults.onStopped(node),
    trace,
  });
  const { world, onDurable } = court;
  const onSigned = (node: string, bytes: Uint8Array) => witness.onSigned(node, bytes);
  nodes.push(...createNodes(options, { world, signers, coverage, onSigned, onDurable }));
  const faults = createFaults({
    options,
    timeline,
    random,
    network,
    coverage,
    nodes,
    spare: nodes.at(-1)!,
    onWiped(node) {
      ledger.release(node.label);
      witness.onWiped(node.id);
    },
    trace,
  });
  const meterWorldOf = (chain: GenesisChain): MeterWorld => ({
    genesis,
    authority,
    timeline,
    random,
    coverage,
    nodes: nodes.filter((node) => node.chainNumbers.includes(chain.service)),
    ledger,
    fail,
    loss: () => (isCalm ? 0 : options.conditions.loss),
    onAcknowledged: court.onAcknowledged,
    trace,
  });
  const population = createMeters(options, genesis, meterWorldOf);
  meters.push(...population.meters);

  return {
    options,
    random,
    timeline,
    genesis,
    coverage,
    nodes,
    correct: nodes.filter(isCorrect),
    meters,
    agent: population.agent,
    idle,
    fail,
    ledger,
    witness,
    network,
    court,
    faults,
    trace,
    traced,
    /** Ends the run with the first violation. */
    afterEach() {
      if (violation !== undefined) throw violation;
    },
    heal() {
      isCalm = true;
      faults.heal();
      network.setConditions(calm);
    },
  };
}

function tracing(now_ms: () => number, onLine?: (line: string) => void) {
  const trace = createTrace(now_ms, onLine);
  return { say: (line: string) => trace.say(line), recent: () => trace.recent(), hash: () => trace.hash };
}

async function run(cluster: Cluster): Promise<ClusterReport> {
  const { options, timeline, genesis, correct, fail, afterEach } = cluster;
  begin(cluster);
  await timeline.run(options.faults_ms, afterEach);
  checkBounds(genesis, correct, fail);
  cluster.heal();
  const from_ms = timeline.now_ms();
  await settle(cluster);
  if (!(await timeline.run(from_ms + RECEIPTS_MS, afterEach, () => (cluster.agent?.waiting ?? 0) === 0))) {
    fail("I9 an agent has its receipts", `${cluster.agent?.waiting} records wait`);
  }
  await settle(cluster);
  const healed_ms = timeline.now_ms() - from_ms;
  checkStates(genesis, correct, fail);
  await checkIdle(cluster);
  checkBounds(genesis, correct, fail);
  if (!isSettled(cluster)) fail("I9 what is sealed stays", "after the silence");
  afterEach();
  return reportOf(cluster, healed_ms);
}

function begin({ options, random, timeline, network, nodes, faults, meters, trace }: Cluster): void {
  trace(JSON.stringify(options));
  network.heal();
  for (const node of nodes) node.start();
  for (const node of nodes) network.connect(node);
  faults.start();
  for (const meter of meters) {
    meter.start();
    for (let count = 0; count < options.recordsPerMeter; count += 1) {
      timeline.after(random.between(0, options.faults_ms), () => meter.measure());
    }
  }
}

function isSettled({ correct, meters, agent, genesis, ledger }: Cluster): boolean {
  return (
    correct.every((node) => node.isUp) &&
    meters.every((meter) => meter === agent || meter.waiting === 0) &&
    genesis.chains.every(({ service }) => {
      const height = ledger.heights.get(service) ?? 0;
      return correct.every((node) => (node.chains.get(service)?.head.height ?? 0) === height);
    }) &&
    ledger.missing().length === 0
  );
}

/** I9, and what it takes. */
async function settle(cluster: Cluster): Promise<void> {
  const { timeline, nodes, meters, ledger, fail, afterEach } = cluster;
  let looked = 0;
  const done = await timeline.run(timeline.now_ms() + LIVENESS_MS, afterEach, () => {
    looked += 1;
    return looked % 16 === 0 && isSettled(cluster);
  });
  if (done || isSettled(cluster)) return;
  const where = nodes.map((node) => {
    const heads = [...node.chains].map(([service, chain]) => `${service}/${chain.head.height}`);
    return `${node.label} ${node.isUp ? heads.join(" ") : "down"}`;
  });
  const waiting = meters.map((meter) => `${meter.name}: ${meter.waiting}`);
  const missing = ledger.missing().slice(0, 4);
  fail("I9 everything promised is sealed once the network heals", [...where, ...waiting, ...missing].join("; "));
  afterEach();
}

/** I10: heartbeats alone, where nobody is hostile, and nothing is written. */
async function checkIdle({ options, timeline, genesis, idle, court, fail, afterEach }: Cluster): Promise<void> {
  await timeline.run(timeline.now_ms() + SETTLE_MS, afterEach);
  Object.assign(idle, { sends: 0, others: 0 });
  const { writes } = court;
  await timeline.run(timeline.now_ms() + IDLE_MS, afterEach);
  if (options.fault === "twins" || options.fault === "byzantine") return;
  const links = options.members * (options.members - 1) * genesis.chains.length;
  const most = links * (Math.ceil(IDLE_MS / localTimeouts.heartbeat_ms) + 1);
  if (idle.others > 0 || idle.sends > most || court.writes > writes) {
    fail("I10 an idle cluster sends heartbeats alone", JSON.stringify({ ...idle, writes: court.writes - writes }));
  }
}

function reportOf({ coverage, ledger, meters, witness, traced }: Cluster, healed_ms: number): ClusterReport {
  return {
    ...coverage,
    blocks: [...ledger.heights.values()].reduce((sum, height) => sum + height, 0),
    records: ledger.sealed,
    receipts: meters.reduce((sum, meter) => sum + meter.receipts, 0),
    roundChanges: ledger.rounds,
    meterViolations: ledger.violations,
    equivocations: witness.equivocations,
    equivocationsSealed: ledger.equivocations,
    healed_ms: Math.round(healed_ms),
    traceHash: traced.hash(),
  };
}

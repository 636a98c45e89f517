// A whole cluster and its meters in one process, from one seed: faults for a while, then calm, in which everything that was promised
// must be sealed on every correct node, and then silence. Throws a Violation where an invariant does not hold.

import { fromHex, toHex } from "../../../src/wire/bytes.js";
import { reasonOf } from "../../errors.js";
import { salvage } from "../../node/store/salvage.js";
import { createRandom } from "../rig/random.js";
import { createLedger } from "./checks/blocks.js";
import { type Court, createCourt } from "./checks/checks.js";
import { createDocket } from "./checks/evidence.js";
import { checkIdle, isHostile, isSettled, settle } from "./checks/liveness.js";
import { createRoll } from "./checks/membership.js";
import { createWitness } from "./checks/signing.js";
import { kindOf } from "./checks/statements.js";
import { checkBounds, checkStates, heldRecords } from "./checks/storage.js";
import { Violation } from "./checks/violation.js";
import { type Coverage, createCoverage } from "./coverage.js";
import { createFaults } from "./faults/faults.js";
import { createLiar } from "./faults/liar.js";
import { createRegistrar } from "./faults/membership.js";
import type { Mutant } from "./mutants/mutants.js";
import type { ClusterOptions } from "./options.js";
import { createTrace } from "./trace.js";
import { createGenesis } from "./world/genesis.js";
import { digestOf, simulatedVerify } from "./world/keys.js";
import type { MeterWorld, SimulatedMeter } from "./world/meter.js";
import { calm, createNetwork } from "./world/network.js";
import type { SimulatedNode } from "./world/node.js";
import { createMeters, createNodes, hostileMembers, isCorrect, unsoundMembers } from "./world/population.js";
import { createTimeline } from "./world/timeline.js";

/** An agent waits longer the more often it has asked in vain: all its receipts are there within this time. */
const RECEIPTS_MS = 1_800_000;
/** Beyond a heartbeat, with which a member without its record asks again. */
const RENEWED_MS = 40_000;

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

/** A run under way. */
export type Cluster = ReturnType<typeof createCluster>;

function createCluster(options: ClusterOptions, mutant: Mutant | undefined, onLine?: (line: string) => void) {
  const random = createRandom(options.seed);
  const timeline = createTimeline();
  const { say: trace, ...traced } = tracing(timeline.now_ms, onLine);
  const founding = createGenesis(options);
  const { genesis, authority } = founding;
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
  const roll = createRoll(genesis, founding.nodes, fail);
  const ledger = createLedger(genesis, roll, faulty, fail);
  const witness = createWitness(genesis, roll, faulty, fail);
  const docket = createDocket(genesis.hash, nodes, roll, ledger);
  const network = createNetwork({
    timeline,
    random,
    coverage,
    nodes,
    kindOf,
    onSend(from, to, kind, frame, fate) {
      trace(`${from.label}>${to.label} ${kind} ${frame.length} ${digestOf(frame).toString(16)} ${fate}`);
      // Who has lost its record goes on asking where not all can vouch.
      const isAsked = kind === "inquiry" || kind === "vouch";
      if (!isAsked) idle.sends += 1;
      if (!isAsked && kind !== "status") idle.others += 1;
      for (const node of nodes) if (node.isUp) node.adversary?.overhear(frame, node.inject);
    },
  });
  const court: Court = createCourt({
    genesis,
    ids: founding.nodes.map(({ id }) => toHex(id)),
    faulty,
    timeline,
    random,
    network,
    ledger,
    witness,
    docket,
    coverage,
    meters,
    mutant,
    fail,
    onStopped: (node) => faults.onStopped(node),
    trace,
  });
  const { world, onDurable } = court;
  const onSigned = (node: string, bytes: Uint8Array) => witness.onSigned(node, bytes);
  nodes.push(...createNodes(options, { world, founding, roll, coverage, onSigned, onDurable }));
  const faults = createFaults({
    options,
    timeline,
    random,
    network,
    coverage,
    nodes,
    spare: nodes.at(-1 - options.joiners)!,
    onWiped(node) {
      ledger.release(node.label, () => false);
      witness.onWiped(node.id);
    },
    onRepair(node) {
      const self = fromHex(node.id)!;
      const held = heldRecords(node);
      node.disk.repair((remains) => salvage(remains, self, genesis, simulatedVerify));
      ledger.release(node.label, (key) => held.has(key));
      witness.onWiped(node.id);
    },
    trace,
  });
  const liars = nodes.filter(({ adversary }) => adversary !== undefined && options.starving !== undefined);
  const liar = liars.length > 0 ? createLiar(options.seed, options.starving!, coverage) : undefined;
  const meterWorld: MeterWorld = {
    genesis,
    roll,
    authority,
    timeline,
    random,
    coverage,
    nodes,
    ledger,
    fail,
    loss: () => (isCalm ? 0 : options.conditions.loss),
    isCalm: () => isCalm,
    brokers: options.starved ? liars : [...liars, ...nodes.filter((node) => !liars.includes(node))],
    // Where it is all that the agent knows it comes to reason, or its records would never be sealed.
    liarAt: (node) => (liars.includes(node) && !(options.starved && isCalm) ? liar : undefined),
    onAcknowledged: court.onAcknowledged,
    trace,
  };
  const population = createMeters(options, genesis, meterWorld);
  meters.push(...population.meters);
  const registrar = createRegistrar({
    options,
    genesis,
    authority,
    timeline,
    random,
    nodes,
    members: founding.nodes,
    signers: founding.signers,
    unsound: unsoundMembers(genesis, options),
    heights: ledger.heights,
    roll,
    coverage,
    fail,
    trace,
  });

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
    roll,
    registrar,
    ledger,
    witness,
    docket,
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
      registrar.heal();
      network.setConditions(calm);
    },
  };
}

function tracing(now_ms: () => number, onLine?: (line: string) => void) {
  const trace = createTrace(now_ms, onLine);
  return { say: (line: string) => trace.say(line), recent: () => trace.recent(), hash: () => trace.hash };
}

async function run(cluster: Cluster): Promise<ClusterReport> {
  const { options, timeline, genesis, roll, correct, fail, afterEach } = cluster;
  await renew(cluster);
  begin(cluster);
  await timeline.run(timeline.now_ms() + options.faults_ms, afterEach);
  checkBounds(roll.chains, correct, fail);
  cluster.heal();
  const from_ms = timeline.now_ms();
  await settle(cluster);
  if (!(await timeline.run(from_ms + RECEIPTS_MS, afterEach, () => (cluster.agent?.waiting ?? 0) === 0))) {
    fail("I9 an agent has its receipts", `${cluster.agent?.waiting} records wait`);
  }
  await settle(cluster);
  const healed_ms = timeline.now_ms() - from_ms;
  checkStates(genesis, roll.chains, correct, fail);
  await checkIdle(cluster);
  checkBounds(roll.chains, correct, fail);
  if (!isHostile(cluster.options) && !isSettled(cluster)) fail("I9 what is sealed stays", "after the silence");
  await settle(cluster); // what a hostile member has signed twice meanwhile
  const [unknown] = cluster.ledger.unknownAnchors();
  if (unknown !== undefined) fail("I16 an anchor names a block that its chain has", unknown);
  afterEach();
  return reportOf(cluster, healed_ms);
}

/** Starts the nodes, and renews disks one after the other: on chains that stand still a member gets its vote back by vouches alone. */
async function renew({ options, timeline, network, nodes, faults, fail, trace, afterEach }: Cluster): Promise<void> {
  trace(JSON.stringify(options));
  network.heal();
  for (const node of nodes) node.start();
  for (const node of nodes) network.connect(node);
  for (const node of nodes.slice(0, options.renewed)) {
    const votes = () =>
      node.isUp && [...node.chains.values()].every(({ standing }) => standing.abstention === undefined);
    await timeline.run(timeline.now_ms() + RENEWED_MS, afterEach);
    faults.renew(node);
    if (!(await timeline.run(timeline.now_ms() + RENEWED_MS, afterEach, votes))) {
      fail("I16 a member without its record votes again once all others have vouched", node.label);
    }
  }
}

function begin({ options, random, timeline, faults, registrar, meters }: Cluster): void {
  faults.start();
  registrar.start();
  for (const meter of meters) {
    meter.start();
    for (let count = 0; count < options.recordsPerMeter; count += 1) {
      timeline.after(random.between(0, options.faults_ms), () => meter.measure());
    }
  }
}

function reportOf({ coverage, ledger, roll, meters, witness, traced }: Cluster, healed_ms: number): ClusterReport {
  return {
    ...coverage,
    blocks: [...ledger.heights.values()].reduce((sum, height) => sum + height, 0),
    records: ledger.sealed,
    receipts: meters.reduce((sum, meter) => sum + meter.receipts, 0),
    roundChanges: ledger.rounds,
    meterViolations: ledger.violations,
    equivocations: witness.equivocations,
    equivocationsSealed: ledger.equivocations,
    anchorsSealed: ledger.anchored,
    ordersSealed: roll.lastOrder,
    memberChanges: roll.changes,
    healed_ms: Math.round(healed_ms),
    traceHash: traced.hash(),
  };
}

// A whole cluster and its meters in one process, from one seed. Faults last for a while; in the
// calm behind them everything promised must be sealed on every correct node. Then comes silence.
// Throws a Violation where an invariant does not hold.

import { reasonOf } from "../../errors.js";
import { type Cluster, createCluster } from "./assembly.js";
import { checkOpening } from "./checks/hidden-opening.js";
import { checkIdle, isHostile, isQuiet, runUntilQuiet } from "./checks/liveness.js";
import { checkStandstill } from "./checks/standstill.js";
import { checkBounds, checkStates } from "./checks/storage.js";
import type { Coverage } from "./coverage.js";
import type { Mutant } from "./mutants/mutant.js";
import type { ClusterOptions } from "./options.js";

/**
 * An agent waits longer the more often it has asked in vain: all its receipts are there within this
 * time.
 */
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
  return attended(createCluster(options, mutant, onLine));
}

/** Runs a seed up to a moment of virtual time, in milliseconds, whatever comes behind it. Throws as `runCluster` does. */
export async function runClusterUntil(options: ClusterOptions, until_ms: number): Promise<void> {
  const cluster = createCluster(options, undefined);
  const afterEach = () => {
    cluster.afterEach();
    if (cluster.timeline.now_ms() > until_ms) throw new Reached();
  };
  try {
    await attended({ ...cluster, afterEach });
  } catch (thrown) {
    if (!(thrown instanceof Reached)) throw thrown;
  }
}

/** The moment up to which a run goes. */
class Reached extends Error {}

async function attended(cluster: Cluster): Promise<ClusterReport> {
  const onRejection = (reason: unknown) => cluster.fail("unhandled rejection", reasonOf(reason));
  process.on("unhandledRejection", onRejection);
  try {
    return await run(cluster);
  } finally {
    process.off("unhandledRejection", onRejection);
  }
}

/** A run under way. */
async function run(cluster: Cluster): Promise<ClusterReport> {
  const { options, timeline, membership, correct, fail, afterEach } = cluster;
  await renew(cluster);
  begin(cluster);
  await timeline.run(timeline.now_ms() + options.faults_ms, afterEach);
  checkBounds(membership.chains, correct, fail);
  cluster.heal();
  const from_ms = timeline.now_ms();
  await runUntilQuiet(cluster);
  if (!(await timeline.run(from_ms + RECEIPTS_MS, afterEach, () => (cluster.agent?.waiting ?? 0) === 0))) {
    fail("I9 an agent has its receipts", `${cluster.agent?.waiting} records wait`);
  }
  await runUntilQuiet(cluster);
  const healed_ms = timeline.now_ms() - from_ms;
  await checkStandstill(cluster);
  await checkStates(cluster);
  await checkOpening(cluster, cluster);
  await checkIdle(cluster);
  checkBounds(membership.chains, correct, fail);
  if (!isHostile(cluster.options) && !isQuiet(cluster)) fail("I9 what is sealed stays", "after the silence");
  await runUntilQuiet(cluster); // what a hostile member has signed twice meanwhile
  const [unknown] = cluster.blockChecks.unknownAnchors();
  if (unknown !== undefined) fail("I16 an anchor names a block that its chain has", unknown);
  membership.contracts.messages.checkSent();
  afterEach();
  return reportOf(cluster, healed_ms);
}

/**
 * Starts the nodes, and renews disks one after the other: on chains that stand still a member gets
 * its vote back by vouches alone.
 */
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
      fail("I9 a member without its record votes again once all others have vouched", node.label);
    }
  }
}

function begin({ options, random, timeline, faults, membershipFaults, meters }: Cluster): void {
  faults.start();
  membershipFaults.start();
  for (const meter of meters) {
    meter.start();
    for (let count = 0; count < options.recordsPerMeter; count += 1) {
      timeline.after(random.between(0, options.faults_ms), () => meter.measure());
    }
  }
}

function slotCounts({ contracts: { slots } }: Cluster["membership"]) {
  const { closed, rows, rowsUnknown, rowsDoubted, rowsLeft, assignments } = slots.counts;
  return {
    ...{ slotsClosed: closed, slotRows: rows, slotRowsUnknown: rowsUnknown, slotRowsDoubted: rowsDoubted },
    ...{ slotRowsLeft: rowsLeft, metersAssigned: assignments },
  };
}

function reportOf(
  { coverage, blockChecks, membership, meters, signingChecks, traced }: Cluster,
  healed_ms: number,
): ClusterReport {
  return {
    ...coverage,
    blocks: [...blockChecks.heights.values()].reduce((sum, height) => sum + height, 0),
    records: blockChecks.sealed,
    operations: blockChecks.operations,
    receipts: meters.reduce((sum, meter) => sum + meter.receipts, 0),
    roundChanges: blockChecks.rounds,
    meterViolations: blockChecks.violations,
    equivocations: signingChecks.equivocations,
    equivocationsSealed: blockChecks.equivocations,
    falseWordsSealed: blockChecks.falseWords.count,
    anchorsSealed: blockChecks.anchored,
    ordersSealed: membership.lastOrder,
    metersRuled: membership.standings.ruled,
    credentialsProlonged: membership.terms.prolonged,
    memberChanges: membership.changes,
    contractsOrdered: membership.contracts.counts.ordered,
    runsSealed: membership.contracts.counts.runs,
    runsFailed: membership.contracts.counts.failed,
    operationsExpired: membership.contracts.counts.expired,
    effectsSealed: membership.contracts.counts.effects,
    messagesTaken: membership.contracts.messages.taken,
    deadlines: membership.contracts.deadlines,
    ...slotCounts(membership),
    healed_ms: Math.round(healed_ms),
    traceHash: traced.hash(),
  };
}

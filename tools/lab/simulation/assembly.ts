// Puts a simulation together: its nodes, meters, network, authority and checks, tied to one
// another.

import { fromHex, toHex } from "../../../src/wire/bytes.js";
import { salvage } from "../../node/store/salvage.js";
import { createRandom } from "../rig/random.js";
import { createBlockChecks } from "./checks/blocks.js";
import { type Checks, createChecks } from "./checks/checks.js";
import { createEvidenceChecks } from "./checks/evidence.js";
import { createHiddenChecks } from "./checks/hidden.js";
import { createHiddenHoldings } from "./checks/hidden-holdings.js";
import { createMembership } from "./checks/membership.js";
import { createSigningChecks } from "./checks/signing.js";
import { kindOf } from "./checks/statements.js";
import { heldRecords } from "./checks/storage.js";
import { Violation } from "./checks/violation.js";
import { createCoverage } from "./coverage.js";
import { createAssignmentFaults } from "./faults/assignments.js";
import { createContractFaults } from "./faults/contracts.js";
import { createFaults } from "./faults/faults.js";
import { startImpostors } from "./faults/impostors.js";
import { createLiar } from "./faults/liar.js";
import { createMembershipFaults } from "./faults/membership.js";
import { createOrderSigning } from "./faults/order-signing.js";
import { createRulingFaults } from "./faults/rulings.js";
import { startTwoRoles } from "./faults/two-roles.js";
import type { Mutant } from "./mutants/mutant.js";
import type { ClusterOptions } from "./options.js";
import { createTrace } from "./trace.js";
import { createSimulatedContracts } from "./world/contracts.js";
import { createGenesis } from "./world/genesis.js";
import { digestOf, simulatedVerify } from "./world/keys.js";
import type { MeterWorld, SimulatedMeter } from "./world/meter.js";
import { calm, createNetwork, type NetworkPorts } from "./world/network.js";
import type { SimulatedNode } from "./world/node-world.js";
import { createMeters, createNodes, hostileMembers, isCorrect, unsoundMembers } from "./world/population.js";
import { createTimeline } from "./world/timeline.js";

export type Cluster = ReturnType<typeof createCluster>;

export function createCluster(options: ClusterOptions, mutant: Mutant | undefined, onLine?: (line: string) => void) {
  const random = createRandom(options.seed);
  const timeline = createTimeline();
  const { say: trace, ...traced } = tracing(timeline.now_ms, onLine);
  const founding = createGenesis(options);
  const { genesis, authority, ordering } = founding;
  const coverage = createCoverage();
  const nodes: SimulatedNode[] = [];
  const meters: SimulatedMeter[] = [];
  let violation: Violation | undefined;
  let isCalm = false;

  const fail = (invariant: string, detail: string) => {
    violation ??= new Violation(invariant, detail, { trace: traced.recent(), at_ms: timeline.now_ms() });
  };
  const faulty = new Set(hostileMembers(genesis, options).map(({ id }) => toHex(id)));
  const membership = createMembership(genesis, founding.nodes, fail);
  const blockChecks = createBlockChecks(genesis, membership, faulty, fail);
  const signingChecks = createSigningChecks(genesis, membership, faulty, fail);
  const evidenceChecks = createEvidenceChecks(genesis, nodes, membership, blockChecks);
  const hidden = createHiddenChecks({ genesis, membership, faulty, coverage, fail });
  const contracts = createSimulatedContracts({ options, timeline, random, coverage, isCalm: () => isCalm, fail });
  const { network, idle } = createCountedNetwork({ timeline, random, coverage, nodes, trace });
  const checks: Checks = createChecks({
    ...{ genesis, faulty, timeline, random, contracts, network, coverage, meters, mutant, fail },
    ...{ blockChecks, signingChecks, evidenceChecks, hidden },
    ids: founding.nodes.map(({ id }) => toHex(id)),
    share: options.share,
    onStopped: (node) => faults.onStopped(node),
    trace,
  });
  const { world, onDurable } = checks;
  const onSigned = (node: string, bytes: Uint8Array) => signingChecks.onSigned(node, bytes);
  nodes.push(...createNodes(options, { world, founding, membership, coverage, onSigned, onDurable }));
  const release = (node: SimulatedNode, holds: (key: string) => boolean) => {
    blockChecks.release(node.label, holds);
    signingChecks.onWiped(node.id);
    hidden.onWiped(node.id);
  };
  const faults = createFaults({
    options,
    timeline,
    random,
    network,
    coverage,
    nodes,
    spare: nodes.at(-1 - options.joiners)!,
    onWiped: (node) => release(node, () => false),
    onRepair(node) {
      const self = fromHex(node.id)!;
      const held = heldRecords(node);
      release(node, (key) => held.has(key));
      node.disk.repair((damaged) => salvage(damaged, self, genesis, simulatedVerify));
    },
    trace,
  });
  const liars = nodes.filter(({ adversary }) => adversary !== undefined && options.starving !== undefined);
  const liar = liars.length > 0 ? createLiar(options.seed, options.starving!, coverage) : undefined;
  const meterWorld: MeterWorld = {
    genesis,
    membership,
    authority,
    timeline,
    random,
    coverage,
    nodes,
    blockChecks,
    fail,
    loss: () => (isCalm ? 0 : options.conditions.loss),
    isCalm: () => isCalm,
    brokers: options.starved ? liars : [...liars, ...nodes.filter((node) => !liars.includes(node))],
    // Where it is all that the agent knows it comes to reason, or its records would never be
    // sealed.
    liarAt: (node) => (liars.includes(node) && !(options.starved && isCalm) ? liar : undefined),
    onAcknowledged: checks.onAcknowledged,
    trace,
  };
  const population = createMeters(options, genesis, meterWorld);
  startPretenders(meterWorld, options);
  meters.push(...population.meters);
  const membershipFaults = createMembershipFaults({
    ...{ options, genesis, timeline, random, nodes, membership, coverage, fail, trace },
    signing: createOrderSigning({ genesis, authority, ordering, timeline }),
    rulings: createRulingFaults({ random, meters, membership, blockChecks, revokes: options.revokes }),
    contracts: createContractFaults({
      ...{ random, membership, heights: blockChecks.heights },
      ...{ genesisHash: genesis.hash, signers: founding.signers },
    }),
    assignments: createAssignmentFaults({ random, meters, membership, timeline }),
    members: founding.nodes,
    signers: founding.signers,
    unsound: unsoundMembers(genesis, options),
    heights: blockChecks.heights,
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
    membership,
    membershipFaults,
    blockChecks,
    signingChecks,
    evidenceChecks,
    hidden,
    lacking: createHiddenHoldings({ genesis, membership, hidden, random }),
    network,
    checks,
    contracts,
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
      membershipFaults.heal();
      network.setConditions(calm);
    },
  };
}

/** Whose credentials are not what they seem. */
function startPretenders(world: MeterWorld, { impostors, twoRoles, seed }: ClusterOptions): void {
  if (impostors) startImpostors(world, seed);
  if (twoRoles) startTwoRoles(world, seed);
}

function tracing(now_ms: () => number, onLine?: (line: string) => void) {
  const trace = createTrace(now_ms, onLine);
  return { say: (line: string) => trace.say(line), recent: () => trace.recent(), hash: () => trace.hash };
}

/**
 * The network, with a line of the trace for each frame, and a count of those that an idle cluster
 * sends.
 */
function createCountedNetwork(ports: Omit<NetworkPorts, "kindOf" | "onSend"> & { trace(line: string): void }) {
  const idle = { sends: 0, others: 0 };
  const network = createNetwork({
    ...ports,
    kindOf,
    onSend(from, to, kind, frame, fate) {
      ports.trace(`${from.label}>${to.label} ${kind} ${frame.length} ${digestOf(frame).toString(16)} ${fate}`);
      // Who has lost its record goes on asking where not all can vouch.
      // Custody keys are stated again now and then.
      const isUncounted = ["inquiry", "vouch", "custodyKey"].includes(kind);
      if (!isUncounted) idle.sends += 1;
      if (!isUncounted && kind !== "status") idle.others += 1;
      for (const node of ports.nodes) if (node.isUp) node.adversary?.overhear(frame, node.inject);
    },
  });
  return { network, idle };
}

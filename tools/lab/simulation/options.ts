// What a seed stands for: the size of the cluster, its load, and what befalls it. At most f members
// are faulty in a run, whichever way; the others may be killed, cut off and slowed down at will.

import { defaultVerifiers, faults } from "../../../src/wire/quorum.js";
import { createRandom, type Random } from "../rig/random.js";
import { type Behaviour, behaviours } from "./faults/adversary.js";
import { type Starving, starvings } from "./faults/liar.js";
import type { Conditions } from "./world/network.js";

/**
 * `twins`: two copies with one key · `byzantine`: a real node behind an adversary · `lostRecord`, `damagedRecord`: the consensus
 * record of one member is gone or cannot be read · `damagedRow`: a bit of any row of it flips · `wiped`: everything it has is gone ·
 * `clock`: its clock is off by more than the others accept · `fullDisk`: its disk is full for a while
 */
const faultKinds = ["none", "twins", "byzantine", "lostRecord", "damagedRecord", "wiped", "clock", "fullDisk"] as const;
export type FaultKind = (typeof faultKinds)[number] | "damagedRow";

/** The service of the chain that an order adds. */
export const ADDED_SERVICE = 9;

export interface ClusterOptions {
  readonly seed: number;
  readonly members: number;
  /** members of each chain that are to verify a temporary block */
  readonly verifiers: number;
  readonly chains: number;
  /** proof of work in the headers */
  readonly mined: boolean;
  readonly fault: FaultKind;
  /** members that the fault befalls */
  readonly faulty: number;
  /** what byzantine members do */
  readonly behaviours: readonly Behaviour[];
  readonly meters: number;
  /** one meter more, with the agent's own outbox and uplink */
  readonly agent: boolean;
  /** what byzantine members' brokers do to the agent */
  readonly starving: Starving | undefined;
  /** the agent knows no other broker while faults last */
  readonly starved: boolean;
  readonly recordsPerMeter: number;
  /** how long faults last */
  readonly faults_ms: number;
  readonly conditions: Conditions;
  /** mean time between two crashes in the cluster; 0 for none */
  readonly crashEvery_ms: number;
  readonly partitionEvery_ms: number;
  /** the last member is cut off for as long as faults last */
  readonly isolated: boolean;
  /** clocks are off by as much, and step within it */
  readonly skew_ms: number;
  /** a disk may be slowed down by as much for a while */
  readonly slowDisk_ms: number;
  readonly batch: { readonly interval_ms: number; readonly records_max: number };
  /** of the real one: a node's share of another one's work, which a few frames can then use up */
  readonly share: number;
  /** there is a contracts chain, whose orders say who is a member of what */
  readonly governed: boolean;
  /** each chain has four of the nodes as its members, others than the next chain */
  readonly apart: boolean;
  /** nodes that the genesis does not know: they follow, until an order makes them members */
  readonly joiners: number;
  /** changes of members that are ordered while faults last */
  readonly changes: number;
  /** an order adds a chain */
  readonly addsChain: boolean;
  /** meters that are suspended or ended while faults last; what is suspended is resumed in the end */
  readonly rulings: number;
  /** somebody shows credentials that are none, and offers readings under them */
  readonly impostors: boolean;
  /** keys that are certified as a meter's and as a participant's sign records of both kinds */
  readonly twoRoles: boolean;
  /** credentials of some meters end while faults last, and later ones take their place */
  readonly lapses: boolean;
  /** half of the meters that would be suspended are revoked */
  readonly revokes: boolean;
  /** orders need the signatures of two of three keys */
  readonly joint: boolean;
  /** orders by which contracts are installed, get parameters or are retired while faults last; participants ask them for things */
  readonly contracts: number;
  /** orders that assign meters to points while faults last, where contracts are ordered */
  readonly assignments: number;
  /** probability that a thread is lost while it runs a block's contracts */
  readonly engineFaults: number;
  /** readings of all meters have confidential groups, most of them; nodes encrypt them, and keep shares of the keys */
  readonly hides: boolean;
  /** some threads may take as long for a block */
  readonly slowEngine_ms: number;
  /** each call of a contract takes every machine so long, also once all faults are over */
  readonly callTakes_ms: number;
  /**
   * members whose disks are renewed before anything else happens, one after the other, each when
   * the one before votes again
   */
  readonly renewed: number;
}

const sizes = [4, 4, 4, 4, 4, 4, 4, 4, 4, 7, 7, 5, 3, 2, 1] as const;

/** Members of a chain where each has its own. */
const OWN_MEMBERS = 4;

/** How many nodes of the genesis a chain does without. */
export function lackedBy({ apart, members }: Pick<ClusterOptions, "apart" | "members">): number {
  return apart ? Math.max(0, members - OWN_MEMBERS) : 0;
}

export function optionsOf(seed: number): ClusterOptions {
  const random = createRandom(seed ^ 0x2545f491);
  const members = random.pick(sizes);
  const most = faults(members);
  // Below four members nothing may fail but by a restart; a full disk ends in one.
  const fault = damagedOf(seed, most > 0 ? random.pick(faultKinds) : random.pick(["none", "fullDisk"] as const));
  const faulty = fault === "twins" || fault === "byzantine" ? 1 + random.below(most) : fault === "none" ? 0 : 1;
  const isolated = most > 0 && random.chance(0.05);
  return {
    seed,
    members,
    verifiers: verifiersOf(createRandom(seed ^ 0x6a09e667), members),
    chains: random.chance(0.2) ? 2 : 1,
    mined: random.chance(0.05),
    fault,
    faulty,
    meters: 2 + random.below(3),
    recordsPerMeter: 4 + random.below(10),
    faults_ms: random.between(6_000, 16_000),
    conditions: conditionsOf(random),
    crashEvery_ms: random.chance(0.7) ? random.between(600, 4_000) : 0,
    partitionEvery_ms: isolated ? 0 : random.chance(0.7) ? random.between(800, 5_000) : 0,
    isolated,
    skew_ms: random.chance(0.5) ? random.between(0, 12_000) : 0,
    slowDisk_ms: random.chance(0.3) ? random.between(10, 600) : 0,
    batch: { interval_ms: random.pick([20, 100, 200]), records_max: random.pick([3, 20, 100]) },
    share: 1,
    behaviours: [
      ...behaviours.filter(() => random.chance(0.35)),
      ...extremeOf(createRandom(seed ^ 0x3c6ef372)),
      ...misanchorOf(createRandom(seed ^ 0x2545f491)),
      ...delugeOf(createRandom(seed ^ 0x5be0cd19)),
      ...perjureOf(createRandom(seed ^ 0x1f83d9ab)),
      ...repeatOf(createRandom(seed ^ 0x5be0cd18)),
      ...misrunOf(createRandom(seed ^ 0x71374491)),
      ...inventOf(seed),
    ],
    // Of each tenth and thirteenth seed: what the tables name stays what it was.
    // Where no member may fail, one that leaves takes with it what it alone had: shares and ciphertexts promise nothing there.
    hides: most > 0 && isHiding(seed),
    ...{ impostors: seed % 13 === 0, revokes: seed % 13 === 0, lapses: seed % 13 === 7 },
    agent: random.chance(0.3),
    ...starvedOf(createRandom(seed ^ 0x38b34ae5)),
    ...contractedOf(createRandom(seed ^ 0x428a2f98), orderedOf(createRandom(seed ^ 0x71a9c3d5))),
    renewed: renewedOf(createRandom(seed ^ 0x1b873593), members, fault),
    ...apartOf(seed, faulty),
    ...twoRoledOf(seed),
  };
}

/** Of each thirteenth seed, too. Their records come from the start on: no chain would stand still while disks are renewed. */
function twoRoledOf(seed: number): Pick<ClusterOptions, "twoRoles"> & Partial<ClusterOptions> {
  return seed % 13 === 11 ? { twoRoles: true, renewed: 0 } : { twoRoles: false };
}

/** Drawn apart, too. */
function misanchorOf(random: Random): readonly Behaviour[] {
  return random.chance(0.35) ? ["misanchor"] : [];
}

function perjureOf(random: Random): readonly Behaviour[] {
  return [...(random.chance(0.4) ? (["perjure"] as const) : []), ...(random.chance(0.2) ? (["shirk"] as const) : [])];
}

/** All of them, or as few as there may be for what they say to be true. */
function verifiersOf(random: Random, members: number): number {
  return random.chance(0.2) ? members : defaultVerifiers(members);
}

function delugeOf(random: Random): readonly Behaviour[] {
  return random.chance(0.2) ? ["deluge"] : [];
}

function repeatOf(random: Random): readonly Behaviour[] {
  return [
    ...(random.chance(0.15) ? (["repeat"] as const) : []),
    ...(random.chance(0.15) ? (["contradict"] as const) : []),
  ];
}

function misrunOf(random: Random): readonly Behaviour[] {
  return random.chance(0.35) ? ["misrun"] : [];
}

/** Drawn from no stream: all others are what they were. */
function isHiding(seed: number): boolean {
  return seed % 10 === 9;
}

function inventOf(seed: number): readonly Behaviour[] {
  return isHiding(seed) && seed % 20 === 9 ? ["invent"] : [];
}

function extremeOf(random: Random): readonly Behaviour[] {
  return random.chance(0.4) ? ["exaggerate"] : [];
}

type Ordered = Pick<ClusterOptions, "governed" | "joiners" | "changes" | "addsChain" | "rulings" | "joint">;

/** Drawn apart from the rest, so that the other seeds stay what they are. */
function orderedOf(random: Random): Ordered {
  const isGoverned = random.chance(0.25);
  if (!isGoverned) return { governed: false, joiners: 0, changes: 0, addsChain: false, rulings: 0, joint: false };
  return {
    governed: true,
    joiners: random.below(3),
    changes: 1 + random.below(6),
    addsChain: random.chance(0.3),
    rulings: random.chance(0.5) ? 1 + random.below(5) : 0,
    joint: random.chance(0.3),
  };
}

type Contracted = Pick<ClusterOptions, "contracts" | "assignments" | "engineFaults" | "slowEngine_ms" | "callTakes_ms">;

/** Drawn apart as well: where there is a contracts chain already, and in some runs for contracts alone. */
function contractedOf(random: Random, ordered: Ordered): Ordered & Contracted & Partial<ClusterOptions> {
  const hasContracts = random.chance(ordered.governed ? 0.7 : 0.05);
  return {
    ...ordered,
    governed: ordered.governed || hasContracts,
    contracts: hasContracts ? 5 + random.below(12) : 0,
    engineFaults: random.pick([0, 0.1, 0.3]),
    slowEngine_ms: random.pick([0, 400, 2_500]),
    callTakes_ms: 0,
    assignments: random.below(8),
    // Orders come one by one: few of them in the time that other faults take.
    ...(hasContracts && {
      meters: 4,
      recordsPerMeter: 10 + random.below(15),
      faults_ms: random.between(12_000, 28_000),
    }),
  };
}

/** Of each twelfth seed: five to seven nodes, of which a set of four bears one that is faulty. */
function apartOf(seed: number, faulty: number): Pick<ClusterOptions, "apart"> & Partial<ClusterOptions> {
  if (seed % 12 !== 0) return { apart: false };
  const members = OWN_MEMBERS + 1 + ((seed / 12) % 3);
  const verifiers = defaultVerifiers(OWN_MEMBERS);
  return { apart: true, governed: true, members, verifiers, faulty: Math.min(faulty, 1), renewed: 0 };
}

/** Drawn apart as well. */
function starvedOf(random: Random): Pick<ClusterOptions, "starving" | "starved"> {
  return { starving: random.chance(0.7) ? random.pick(starvings) : undefined, starved: false };
}

/**
 * Drawn apart. Who is hostile from the start is faulty beside the one whose disk is renewed; the
 * only member never gets over it.
 */
function renewedOf(random: Random, members: number, fault: FaultKind): number {
  if (members === 1 || fault === "twins" || fault === "byzantine" || !random.chance(0.12)) return 0;
  return 1 + random.below(members);
}

/**
 * Half of those whose disk is harmed in another way, drawn apart as well; the seeds that
 * TRACK_RECORD.md names stay what they were.
 */
function damagedOf(seed: number, fault: FaultKind): FaultKind {
  const isDisk = fault === "damagedRecord" || fault === "wiped";
  return isDisk && createRandom(seed ^ 0x550c7dc3).chance(0.5) ? "damagedRow" : fault;
}

/** Some see a polka and lock on its value, others do not and propose another one. */
export const scarcePolkas = { proposal: 0.25, prevote: 0.35, precommit: 0.1, polka: 1, round: 0.3 } as const;

/**
 * Without precommits locks form and rounds go on, without proposals nothing is locked, without
 * bodies nothing can be judged.
 */
const scarcities: readonly Conditions["scarce"][] = [
  { precommit: 0.9 },
  scarcePolkas,
  { proposal: 0.8 },
  { batch: 0.9, accepted: 0.5 },
];

function conditionsOf(random: Random): Conditions {
  return {
    loss: random.pick([0, 0, 0.02, 0.1, 0.2, 0.35]),
    duplication: random.pick([0, 0.03, 0.1]),
    delay_ms: random.pick([5, 40, 120]),
    slow: random.pick([0, 0, 0.05, 0.3]),
    unnoticed: random.pick([0.3, 0.3, 1]),
    scarce: random.chance(0.8) ? {} : random.pick(scarcities),
  };
}

// Conditions under which a rule is called upon, for mutants that lack it: parts of a seed's options.

import { scarcePolkas } from "../options.js";
import { calm } from "../world/network.js";

/** Few records, so that the cluster is idle when the network heals. */
export const quiet = { members: 4, fault: "none", faulty: 0, meters: 2, recordsPerMeter: 2, agent: false } as const;
/** Temporary blocks get through seldom, so that a member lacks some that the others have sealed. */
export const bereft = { ...quiet, conditions: { ...calm, scarce: { batch: 0.7, needBatch: 1 } } };
/** Nobody is faulty. */
const unharmed = { members: 4, fault: "none", faulty: 0 } as const;
export const smooth = { ...calm, unnoticed: 1 };
/** Heights take long, over many rounds, with locks. */
export const undecided = {
  members: 4,
  chains: 1,
  meters: 4,
  conditions: { ...calm, loss: 0.05, delay_ms: 40, scarce: { precommit: 0.8 } },
} as const;
/** Few see a quorum's prevotes, so that members lock on different values in different rounds. */
export const contested = {
  ...undecided,
  fault: "none",
  faulty: 0,
  crashEvery_ms: 0,
  partitionEvery_ms: 0,
  faults_ms: 40_000,
  conditions: { ...calm, delay_ms: 40, scarce: scarcePolkas },
} as const;
/** No disk is renewed: a hostile member need not vouch, and without it whose disk that is never votes again. */
export const attacked = { members: 4, fault: "byzantine", faulty: 1, renewed: 0 } as const;
/** A faulty member says that it has verified whatever comes; meters offer records that they have not signed. */
export const perjured = { ...attacked, verifiers: 2, behaviours: ["perjure"], meters: 4, recordsPerMeter: 20 } as const;
/** A faulty member acknowledges nothing of others, and nobody else is away. */
export const shirked = {
  ...perjured,
  behaviours: ["shirk"],
  crashEvery_ms: 0,
  partitionEvery_ms: 0,
  isolated: false,
  conditions: smooth,
} as const;
/** A faulty member makes another one work for nothing, long enough to be kept out and let in again. */
export const drowned = {
  ...attacked,
  behaviours: ["deluge"],
  chains: 1,
  faults_ms: 60_000,
  crashEvery_ms: 0,
  partitionEvery_ms: 0,
  isolated: false,
  conditions: smooth,
} as const;
/** A faulty member sends in temporary blocks of its own what is sealed, far more than its share. */
export const rehashed = {
  ...drowned,
  behaviours: ["repeat"],
  meters: 4,
  recordsPerMeter: 20,
  faults_ms: 20_000,
  share: 0.05,
} as const;
/** Beside meters that go on, a faulty member sends what is sealed for long, as much as its share lets it. */
export const recalled = {
  ...rehashed,
  behaviours: ["recall"],
  recordsPerMeter: 60,
  faults_ms: 30_000,
  share: 1,
} as const;
/** A faulty member makes up what other chains have sealed. */
export const misled = { ...attacked, chains: 2, behaviours: ["misanchor"], meters: 4 } as const;

/** One chain of the genesis, which no order touches. */
const alone = {
  chains: 1,
  governed: false,
  joiners: 0,
  changes: 0,
  addsChain: false,
  rulings: 0,
  joint: false,
} as const;

/** Readings hide something, and what they hide gets through seldom. */
export const confided = {
  ...unharmed,
  ...alone,
  contracts: 0,
  hides: true,
  meters: 3,
  recordsPerMeter: 12,
  agent: false,
  renewed: 0,
  conditions: { ...calm, delay_ms: 40, scarce: { disclosures: 0.5, envelope: 0.3 } },
} as const;
/** One of them is cut off as long as faults last. */
export const forsaken = { ...confided, isolated: true, partitionEvery_ms: 0 } as const;
/** A faulty member states ciphertexts that open nothing. */
export const deceived = {
  ...confided,
  ...attacked,
  behaviours: ["invent"],
  recordsPerMeter: 20,
  conditions: { ...calm, delay_ms: 40 },
} as const;

/** An agent's first broker is a faulty member's, which refuses some records for ever and takes the others. */
export const picked = {
  ...attacked,
  behaviours: [],
  ...alone,
  agent: true,
  starving: "pick",
  starved: false,
} as const;
/** It is its only one, while more numbers pass than a gap stays open for. */
export const starved = {
  ...picked,
  starved: true,
  meters: 0,
  recordsPerMeter: 1_500,
  faults_ms: 120_000,
  crashEvery_ms: 0,
  partitionEvery_ms: 0,
  isolated: false,
  conditions: smooth,
  batch: { interval_ms: 20, records_max: 100 },
} as const;

/** Members change again and again; nobody is faulty. */
export const reordered = {
  ...unharmed,
  governed: true,
  contracts: 0,
  joiners: 2,
  changes: 8,
  rulings: 0,
  joint: false,
  faults_ms: 20_000,
} as const;
/** Members change while there is always something to seal, so that some are removed in the middle of a height. */
export const replaced = {
  ...reordered,
  chains: 1,
  meters: 4,
  recordsPerMeter: 40,
  changes: 20,
  faults_ms: 30_000,
  crashEvery_ms: 600,
} as const;
/** A faulty node may be removed, and goes on as if it were a member. */
export const intruded = {
  ...reordered,
  ...attacked,
  chains: 1,
  meters: 4,
  recordsPerMeter: 30,
  faults_ms: 40_000,
} as const;

/** Meters are suspended, resumed and ended while their records are under way. */
export const ruled = {
  ...unharmed,
  chains: 1,
  governed: true,
  contracts: 0,
  joiners: 0,
  changes: 0,
  addsChain: false,
  rulings: 8,
  meters: 4,
  recordsPerMeter: 40,
  faults_ms: 30_000,
} as const;
/** Half of those that would be suspended are revoked. */
export const revoking = { ...ruled, revokes: true } as const;
/** Credentials that are none are shown to nodes, and nothing else befalls anybody. */
export const impersonated = {
  ...quiet,
  ...alone,
  contracts: 0,
  impostors: true,
  crashEvery_ms: 0,
  partitionEvery_ms: 0,
  isolated: false,
  conditions: smooth,
  renewed: 0,
} as const;
/** Keys of two roles sign records of both kinds, and nothing else befalls anybody. */
export const twoRoled = { ...impersonated, impostors: false, twoRoles: true, meters: 4, recordsPerMeter: 30 } as const;
/** Credentials end and later ones take their place, while what comes waits long for its block. */
export const lapsed = {
  ...quiet,
  ...alone,
  contracts: 0,
  lapses: true,
  meters: 4,
  recordsPerMeter: 40,
  faults_ms: 20_000,
  crashEvery_ms: 0,
  partitionEvery_ms: 0,
  isolated: false,
  conditions: smooth,
  batch: { interval_ms: 2_000, records_max: 100 },
  renewed: 0,
} as const;
/** Contracts come, change and go while participants ask them for things, and nothing else befalls anybody. */
export const contracted = {
  ...ruled,
  rulings: 0,
  crashEvery_ms: 0,
  partitionEvery_ms: 0,
  isolated: false,
  conditions: smooth,
  contracts: 20,
  assignments: 0,
  engineFaults: 0,
  slowEngine_ms: 0,
  recordsPerMeter: 50,
  agent: false,
} as const;
/** Readings of meters whose counters go on, which are assigned to points and put elsewhere, while contracts ask for slots. */
export const settled = { ...contracted, meters: 6, contracts: 12, assignments: 12, recordsPerMeter: 40 } as const;
/** The same on machines that take so long for each call that a block shows rows to one contract or two. */
export const settledSlowly = {
  ...settled,
  meters: 4,
  recordsPerMeter: 12,
  faults_ms: 20_000,
  callTakes_ms: 1_200,
} as const;
/** Participants ask for more at a time than a block's contracts have room for. */
export const besieged = { ...contracted, meters: 4, batch: { interval_ms: 2_000, records_max: 100 } } as const;
/** On machines that take so long for each call that a whole block of them would come too late. */
export const toiling = { ...besieged, recordsPerMeter: 12, callTakes_ms: 1_200 } as const;
/** Contracts of two chains tell each other things, and name deadlines. */
export const told = { ...contracted, chains: 2, recordsPerMeter: 30 } as const;
/** Chains with members of their own, without contracts: what the rules tell comes by whoever follows both. */
export const apart = {
  ...ruled,
  members: 7,
  apart: true,
  chains: 2,
  rulings: 0,
  meters: 6,
  renewed: 0,
  agent: false,
} as const;
/** A faulty member makes up what chains tell each other. */
export const lied = { ...told, ...attacked, behaviours: ["forge"] } as const;
/** One member seals alone, on a machine whose thread of contracts is often lost. */
export const contractedAlone = {
  ...contracted,
  members: 1,
  verifiers: 1,
  engineFaults: 0.5,
  renewed: 0,
} as const;
/** A faulty member proposes blocks whose contracts have come to something else. */
export const misrunning = { ...contracted, ...attacked, behaviours: ["misrun"] } as const;
/** Rows of one member are damaged, so that it fetches its chains anew. */
export const repaired = { ...contracted, fault: "damagedRow", faulty: 1, crashEvery_ms: 800 } as const;
/** Two of three keys sign each order. */
export const joint = { ...reordered, joint: true } as const;

/** So many rounds pass before the faults end that a timeout without a cap outlasts what follows. */
export const stalled = {
  faults_ms: 400_000,
  crashEvery_ms: 0,
  partitionEvery_ms: 0,
  conditions: { ...calm, scarce: { proposal: 1 } },
} as const;

/**
 * No block comes for long, while the meters of the second chain, which wait for receipts, take the same few records from node to node:
 * when blocks come again, more temporary blocks than one holds repeat what is sealed, all older than those of the next records.
 */
export const crowded = {
  ...unharmed,
  chains: 2,
  governed: false,
  joiners: 0,
  changes: 0,
  addsChain: false,
  meters: 4,
  agent: false,
  recordsPerMeter: 40,
  faults_ms: 60_000,
  crashEvery_ms: 0,
  partitionEvery_ms: 0,
  conditions: { ...calm, scarce: { proposal: 1 } },
  batch: { interval_ms: 20, records_max: 1 },
} as const;

/** Disks of most members are renewed one after the other before an order adds a chain. */
export const renewed = {
  ...unharmed,
  governed: true,
  contracts: 0,
  joiners: 0,
  changes: 0,
  addsChain: true,
  renewed: 3,
} as const;

/** Two chains with records, whose members have nothing else to bear. */
export const beside = { ...unharmed, chains: 2, meters: 4, agent: false } as const;

/** Records come to several nodes, so that what one seals another has in a temporary block still. */
export const repeated = {
  ...unharmed,
  meters: 4,
  crashEvery_ms: 800,
  conditions: { ...calm, loss: 0.35, delay_ms: 40 },
} as const;

/** Rows of one member are damaged while records wait there that the others do not have yet. */
export const damagedOften = {
  members: 4,
  fault: "damagedRow",
  faulty: 1,
  meters: 4,
  recordsPerMeter: 30,
  crashEvery_ms: 400,
  conditions: { ...calm, loss: 0.35, delay_ms: 40 },
} as const;

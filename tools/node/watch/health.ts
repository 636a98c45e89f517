// Whether a node does its work, as a verdict that a load balancer or an operator can act on. Pure: what was seen of the node and time
// in, status and named problems out. Words as in the IETF draft draft-inadarei-api-health-check-06: pass, warn, fail.

import { faults } from "../../../src/wire/quorum.js";
import type { Abstention } from "../../consensus/regaining.js";

/** Records that wait while no block comes for so long are held up. */
export const STANDING_MAX_MS = 30_000;
/** A write that is not durable after so long says that the disk does not write. */
export const WRITE_MAX_MS = 10_000;
/** Of the disk's size; below, the node will soon have to stop. */
export const FREE_SHARE_MIN = 0.05;
/** A third of what voters bear of a proposal's time. */
export const CLOCK_OFF_MAX_MS = 10_000;
/** What voters bear (CLOCK_SKEW_MAX_MS): beyond, the node neither gets its own proposals sealed nor votes for those of others. */
export const CLOCK_WRONG_MS = 30_000;
/** A node that lacks fewer blocks of a chain is only a moment late. */
export const BEHIND_BLOCKS = 3;
/** From the proposal of a block until it is sealed; beyond, the node says that sealing is slow. */
export const SEALING_MAX_MS = 10_000;
/** What a member lacks of disclosures it fetches from peers; what is missing for longer somebody should know of. */
export const DISCLOSURES_MISSING_MAX_MS = 60_000;
/** Blocks whose times the own clock is compared with, and for how long each counts. */
export const CLOCK_SAMPLES_MAX = 8;
const CLOCK_SAMPLES_MIN = 3;
const CLOCK_SAMPLE_AGE_MAX_MS = 86_400_000;

/** The checks that can go wrong, by component and measurement (section 4 of the draft). */
export const checks = [
  "chain:quorum",
  "chain:sealing",
  "chain:lateness",
  "chain:height",
  "chain:voting",
  "chain:agreement",
  "chain:messages",
  "chain:disclosures",
  "store:writes",
  "store:space",
  "store:rows",
  "clock:offset",
  "peers:identity",
  "peers:custody",
  "broker:connection",
] as const;
export type CheckName = (typeof checks)[number];

export interface ChainSeen {
  readonly service: number;
  readonly name: string;
  readonly height: number;
  /** timestamp of the newest block; 0 before the first */
  readonly block_ms: number;
  /** records of this node's meters that wait to be sealed */
  readonly records: number;
  /** temporary blocks that this node has only stored so far */
  readonly unverified: number;
  /** Whether the node is a member, or only follows. */
  readonly isMember: boolean;
  /** ids of the members */
  readonly members: readonly string[];
  readonly quorum: number;
  /** Whether records of this node's meters wait to be sealed. */
  readonly waits: boolean;
  /** Why the node does not vote yet: it does not know what it has signed. */
  readonly abstention: Abstention | undefined;
  /** why the node cannot go on with what a quorum has sealed; undefined where nothing is in the way */
  readonly disagreement: string | undefined;
  /** names of contracts of which a run failed lately, as they and others answer each other without end */
  readonly endless: readonly string[];
  /** what this node lacks, as a member that was away, of what the chain's readings hide */
  readonly missing: MissingSeen;
  /** newest blocks that other members claim to have, one a member */
  readonly claimed: readonly number[];
}

export interface MissingSeen {
  /** readings without their sealed disclosures, and envelopes without a share */
  readonly disclosures: number;
  readonly shares: number;
  /** ids of the nodes whose temporary blocks named these envelopes */
  readonly origins: readonly string[];
  /** UTC seconds since when the oldest is missing; undefined where nothing is */
  readonly since_s: number | undefined;
}

export interface Seen {
  readonly self: string;
  /** the own clock, UTC */
  readonly clock_ms: number;
  /** ids of the nodes that can be reached */
  readonly connected: readonly string[];
  readonly chains: readonly ChainSeen[];
  /** how long the oldest write has not been durable; 0 where none is under way */
  readonly oldestWrite_ms: number;
  /** of the disk that the store is on; undefined where that is not known */
  readonly space: { readonly free_bytes: number; readonly size_bytes: number } | undefined;
  /** what was found damaged last while somebody asked for it; undefined where nothing was */
  readonly damage: string | undefined;
  /** names of nodes of which two processes were seen lately */
  readonly double: readonly string[];
  /** names of nodes whose custody key nothing can be sealed to: they keep no shares of this node's day keys */
  readonly unusableCustodians: readonly string[];
  /** why the shared broker is not connected; undefined where it is, or the node has its own */
  readonly brokerLost: string | undefined;
  /** names of nodes by id */
  readonly names: ReadonlyMap<string, string>;
}

/** A block that was just stored. */
export interface BlockSeen {
  /** UTC */
  readonly time_ms: number;
  /** since this node first saw its proposal, when its time was the present; undefined where it was fetched later */
  readonly sealing_ms: number | undefined;
}

/** What a node remembers between two looks. */
export interface History {
  /** since when records wait at the height where the chain stands, by service */
  readonly standing: ReadonlyMap<number, { readonly height: number; readonly since_ms: number }>;
  /** times of the newest blocks, UTC, and when they came, monotonic; the newest last */
  readonly blocks: readonly (BlockSeen & { readonly at_ms: number })[];
}

export interface Problem {
  readonly check: CheckName;
  readonly status: "warn" | "fail";
  /** the chain that has it, where it is one's */
  readonly chain: { readonly service: number; readonly name: string } | undefined;
  readonly output: string;
}

export interface Verdict {
  /** `fail`: meters are better served by another node · `warn`: it works, and somebody should look */
  readonly status: "pass" | "warn" | "fail";
  readonly problems: readonly Problem[];
}

export const noHistory: History = { standing: new Map(), blocks: [] };

/** What is to be remembered after a look at monotonic time `now_ms`. */
export function remember(history: History, seen: Seen, now_ms: number): History {
  const standing = new Map<number, { height: number; since_ms: number }>();
  for (const { service, height, waits } of seen.chains) {
    if (!waits) continue;
    const known = history.standing.get(service);
    standing.set(service, known?.height === height ? known : { height, since_ms: now_ms });
  }
  return { standing, blocks: history.blocks };
}

export function rememberBlock(history: History, block: BlockSeen, now_ms: number): History {
  const blocks = [...history.blocks, { ...block, at_ms: now_ms }].slice(-CLOCK_SAMPLES_MAX);
  return { standing: history.standing, blocks };
}

/**
 * How far the network's time is ahead of the own clock: the middle of what the newest blocks say, so that no single proposer's clock
 * decides. 0 where that is not known. A block's time was the present when its proposal was seen, or before, by what the proposal took to
 * be made and to come: that is no more than the votes on it took. Only what lies beyond shows that the own clock is ahead. Blocks that the
 * node catches up with are of the past: they can only show that it is behind.
 */
export function clockOffset_ms(history: History, clock_ms: number, now_ms: number): number {
  const recent = recentBlocks(history, now_ms);
  const live = recent.filter(({ sealing_ms }) => sealing_ms !== undefined);
  const middle_ms = middleTime_ms(live, now_ms);
  if (middle_ms === undefined) return Math.max(0, (middleTime_ms(recent, now_ms) ?? clock_ms) - clock_ms);
  const offset_ms = middle_ms - clock_ms;
  return offset_ms > 0 ? offset_ms : Math.min(0, offset_ms + middleSealing_ms(history, now_ms));
}

/** How long the newest blocks took from their proposals until they were sealed, the middle of them; 0 where too few tell. */
function middleSealing_ms(history: History, now_ms: number): number {
  return middleOf(recentBlocks(history, now_ms).flatMap(({ sealing_ms }) => sealing_ms ?? [])) ?? 0;
}

function recentBlocks({ blocks }: History, now_ms: number): History["blocks"] {
  return blocks.filter(({ at_ms }) => now_ms - at_ms <= CLOCK_SAMPLE_AGE_MAX_MS);
}

/** The present by the blocks' times, as they were when their proposals were seen. Undefined where too few tell. */
function middleTime_ms(blocks: History["blocks"], now_ms: number): number | undefined {
  return middleOf(blocks.map(({ time_ms, sealing_ms = 0, at_ms }) => time_ms + sealing_ms + now_ms - at_ms));
}

function middleOf(values: readonly number[]): number | undefined {
  if (values.length < CLOCK_SAMPLES_MIN) return undefined;
  return [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)];
}

/** The verdict on what is seen now; `history` has been told of it. */
export function judge(history: History, seen: Seen, now_ms: number): Verdict {
  const problems = [
    ...seen.chains.flatMap((chain) => judgeChain(history, seen, chain, now_ms)),
    ...judgeStore(seen),
    ...judgeSealing(middleSealing_ms(history, now_ms)),
    ...judgeClock(clockOffset_ms(history, seen.clock_ms, now_ms)),
    ...seen.double.map(judgeDouble),
    ...seen.unusableCustodians.map(judgeCustodian),
    ...judgeBroker(seen),
  ];
  const failing = problems.some(({ status }) => status === "fail");
  return { status: failing ? "fail" : problems.length > 0 ? "warn" : "pass", problems };
}

function judgeChain(history: History, seen: Seen, chain: ChainSeen, now_ms: number): Problem[] {
  const { service, name, height, members, quorum, isMember, claimed } = chain;
  const problems: Problem[] = [];
  const add = (check: CheckName, status: "warn" | "fail", output: string) =>
    problems.push({ check, status, chain: { service, name }, output });

  const missing = members.filter((id) => id !== seen.self && !seen.connected.includes(id));
  const reachable = members.length - missing.length;
  const needed = isMember ? quorum : faults(members.length) + 1;
  const named = missing.map((id) => seen.names.get(id) ?? id).join(", ");
  if (reachable < needed) {
    const what = isMember ? "a quorum" : "following";
    const output = `${reachable} of the ${needed} members for ${what} can be reached; missing: ${named}`;
    add("chain:quorum", isMember ? "fail" : "warn", output);
  } else if (isMember && reachable === quorum && missing.length > 0) {
    add(
      "chain:quorum",
      "warn",
      `every member that is left is needed: if one more is lost nothing is sealed; missing: ${named}`,
    );
  }
  const stands = history.standing.get(service);
  const stood_ms = stands === undefined ? 0 : now_ms - stands.since_ms;
  if (stood_ms >= STANDING_MAX_MS) {
    add("chain:sealing", "fail", `records wait, and no block has come for ${Math.floor(stood_ms / 1000)} s`);
  }
  // What so many claim at least one correct member has.
  const ahead = [...claimed].sort((left, right) => right - left)[faults(members.length)] ?? 0;
  if (ahead - height >= BEHIND_BLOCKS) add("chain:height", "warn", `${ahead - height} blocks behind its peers`);
  if (chain.disagreement !== undefined) {
    const what = "this node's version, packages or hardware differ from the other members'";
    add("chain:agreement", "fail", `${chain.disagreement}; ${what}: install it again`);
  }
  if (chain.endless.length > 0) {
    const what = "messages answer each other without end, and what they ask for is undone";
    add("chain:messages", "warn", `${chain.endless.join(", ")}: ${what}; look at its outcomes that failed with hops`);
  }
  const lacking = describeMissing(chain.missing, seen);
  if (lacking !== undefined) add("chain:disclosures", "warn", lacking);
  if (isMember && chain.abstention !== undefined) {
    const stands = cannotGoOn(chain.abstention);
    add("chain:voting", stands ? "fail" : "warn", describeAbstention(chain.abstention));
  }
  return problems;
}

/** What is missing for longer than it takes to fetch it. */
function describeMissing(missing: MissingSeen, { clock_ms, names }: Seen): string | undefined {
  const { disclosures, shares, origins, since_s } = missing;
  if (since_s === undefined || clock_ms - 1_000 * since_s < DISCLOSURES_MISSING_MAX_MS) return undefined;
  const since = new Date(1_000 * since_s).toISOString();
  const what = `${disclosures} readings without their sealed disclosures and ${shares} envelopes without a share`;
  const named = origins.map((id) => names.get(id) ?? id).join(", ");
  const whose = named === "" ? "" : ` (named by ${named})`;
  return `${what}${whose}, since ${since}: they are asked of the other members; see that these can be reached`;
}

/** Whether so many members have lost their records that the others are no quorum, and none of them can vouch for the rest. */
function cannotGoOn({ lost, spare }: Abstention): boolean {
  return lost.length > 0 && lost.length + 1 > spare;
}

/** What ends it, or that nothing does. */
function describeAbstention(abstention: Abstention): string {
  const { until, unvouched, lost } = abstention;
  const what = "does not vote: the record of what it has signed is lost";
  if (cannotGoOn(abstention)) {
    return `${what}, and that of ${lost.join(", ")} too: the chain stands and cannot go on; order a new one in its place`;
  }
  const soon = unvouched.length === 0 ? "" : `, or once ${unvouched.join(", ")} say that nothing was signed beyond`;
  return until === undefined
    ? `${what}; too few members have said where they are${soon}`
    : `${what}; it votes from block ${until} on${soon}`;
}

function judgeStore({ oldestWrite_ms, space, damage }: Seen): Problem[] {
  const problems: Problem[] = [];
  if (oldestWrite_ms >= WRITE_MAX_MS) {
    const output = `a write has not come to its end for ${Math.floor(oldestWrite_ms / 1000)} s`;
    problems.push({ check: "store:writes", status: "fail", chain: undefined, output });
  }
  if (space !== undefined && space.free_bytes < space.size_bytes * FREE_SHARE_MIN) {
    const output = `${Math.floor(space.free_bytes / 1_048_576)} MiB are free on the disk of the store`;
    problems.push({ check: "store:space", status: "warn", chain: undefined, output });
  }
  if (damage !== undefined) problems.push({ check: "store:rows", status: "warn", chain: undefined, output: damage });
  return problems;
}

function judgeBroker({ brokerLost }: Seen): Problem[] {
  if (brokerLost === undefined) return [];
  const output = `the shared broker is not connected, and no meter is heard: ${brokerLost}`;
  return [{ check: "broker:connection", status: "fail", chain: undefined, output }];
}

function judgeCustodian(node: string): Problem {
  const output = `${node} states a custody key that nothing can be sealed to, and keeps no shares: its operator makes it a new one`;
  return { check: "peers:custody", status: "warn", chain: undefined, output };
}

function judgeDouble(name: string): Problem {
  const output = `two processes run with the key of ${name}, and each ends the other's links: stop one of them`;
  return { check: "peers:identity", status: "warn", chain: undefined, output };
}

function judgeSealing(took_ms: number): Problem[] {
  if (took_ms <= SEALING_MAX_MS) return [];
  const what = `the newest blocks took about ${Math.round(took_ms / 1000)} s from their proposals until they were sealed`;
  const output = `${what}: this machine, other members or the network are slow; the clock is not to blame`;
  return [{ check: "chain:lateness", status: "warn", chain: undefined, output }];
}

function judgeClock(offset_ms: number): Problem[] {
  const off_ms = Math.abs(offset_ms);
  if (off_ms <= CLOCK_OFF_MAX_MS) return [];
  const side = offset_ms > 0 ? "behind" : "ahead of";
  const output = `the clock is about ${Math.round(off_ms / 1000)} s ${side} the times of the newest blocks`;
  if (off_ms <= CLOCK_WRONG_MS) return [{ check: "clock:offset", status: "warn", chain: undefined, output }];
  const why = "the other members seal nothing that it proposes: synchronise it with a time server";
  return [{ check: "clock:offset", status: "fail", chain: undefined, output: `${output}, and ${why}` }];
}

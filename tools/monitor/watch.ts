// What the monitor makes of what it sees of nodes and their chains: alarms that are raised, stand, are acknowledged, and are over. Pure;
// time is handed in.

import { BoundedMap } from "../bounded-map.js";
import type { ChainState } from "../routes/chains.js";
import type { HealthAnswer } from "../routes/health.js";
import { type Alarm, type AlarmKind, alarmKinds, idOf, nameOf } from "./alarms.js";
import { type Budgets, createBudgets, type Spent } from "./budgets.js";
import type { Received } from "./chain-follower.js";
import { createLateness, type LatenessTerms, latenessTerms } from "./lateness.js";

export interface WatchTerms extends LatenessTerms {
  /** records wait, and nothing is sealed */
  readonly silent_ms: number;
  /** others have blocks for so long that a node has not */
  readonly behind_ms: number;
  /** between a new block's time and ours */
  readonly clock_ms: number;
  /** an alarm that pages and that nobody has acknowledged is told again after so long */
  readonly again_ms: number;
}

const watchTerms: WatchTerms = {
  ...latenessTerms,
  silent_ms: 60_000,
  behind_ms: 60_000,
  clock_ms: 30_000,
  again_ms: 600_000,
};

/** Header hashes of a chain that are kept to hold nodes against each other. */
const HEIGHTS_KEPT_MAX = 10_000;
/** Of late meters that are named. */
const NAMED_MAX = 5;
/** Characters of what several orders do. */
const WHAT_MAX = 1_000;
/** Different headers that anchors give a block which nobody has audited yet: one is the block's, and one more proves a contradiction. */
const CLAIMS_MAX = 4;

export type Sight =
  | {
      readonly type: "seen";
      readonly node: string;
      readonly chains: readonly ChainState[];
      readonly health: HealthAnswer;
    }
  | { readonly type: "unreached"; readonly node: string; readonly reason: string }
  /** a block that is good in every respect; `received`: it was sealed while this watched, and came then */
  | {
      readonly type: "audited";
      readonly node: string;
      readonly block: AuditedPlace;
      readonly received?: Received;
    }
  /** what an audit or a look at a state has found, which stands until `mended`, or until the node serves a good block there */
  | { readonly type: "found"; readonly alarm: Alarm }
  | { readonly type: "mended"; readonly alarm: Omit<Alarm, "what"> }
  /** an order changes by which rules a chain's blocks are judged, from a height on */
  | { readonly type: "ordered"; readonly order: RulesOrder }
  /** a good block says what somebody has spent of a budget of studies */
  | { readonly type: "spent"; readonly spent: Spent }
  /** nothing more comes of these meters */
  | { readonly type: "retired"; readonly meters: readonly string[] }
  /** somebody knows of it: it is not told again while it stands */
  | { readonly type: "acknowledged"; readonly id: string };

export interface RulesOrder {
  readonly number: number;
  readonly service: number;
  readonly fromHeight: number;
  /** what it does */
  readonly what: string;
}

export interface AuditedPlace {
  readonly service: number;
  readonly height: number;
  readonly header: string;
  readonly time_ms: number;
  /** ids of the meters whose records it has */
  readonly meters: readonly string[];
  readonly anchors: readonly { readonly service: number; readonly height: number; readonly header: string }[];
}

/** `stands`: it was raised before, and nobody has acknowledged it */
export type Told = { readonly type: "raised" | "stands" | "acknowledged" | "over"; readonly alarm: Alarm };

export interface OpenAlarm {
  readonly alarm: Alarm;
  readonly id: string;
  readonly since_ms: number;
  readonly isAcknowledged: boolean;
}

export interface Watch {
  /** What follows from a sight, at a time of this machine in UTC milliseconds. */
  step(sight: Sight, now_ms: number): readonly Told[];
  readonly open: readonly OpenAlarm[];
}

interface Standing {
  alarm: Alarm;
  readonly id: string;
  readonly since_ms: number;
  told_ms: number;
  isAcknowledged: boolean;
}

interface ChainSeen {
  /** highest that is audited anywhere, since when: what a node tells beyond it may be a lie */
  height: number;
  since_ms: number;
  name: string;
  readonly headers: BoundedMap<number, { readonly node: string; readonly header: string }>;
  /** by height: what anchors call blocks that are not audited anywhere yet */
  readonly claims: BoundedMap<number, readonly Claim[]>;
  /** by node: since when it says that records wait there, without a break, how many, and when it said so last */
  readonly waiting: Map<string, Waiting>;
  /** by node: since when it lacks what others have */
  readonly behind: Map<string, number>;
}

/** A block that names another chain's block by its header. */
interface Claim extends Served {
  readonly header: string;
}

interface Waiting {
  readonly since_ms: number;
  readonly records: number;
  readonly seen_ms: number;
}

/** Alarms of a node that end where it serves a good block at their height, or beyond it. */
const endedByBlock: readonly AlarmKind[] = ["wrong-block", "incomplete", "unreachable", "not-admitted"];

/** The alarms that stand: raises, ends and repeats them. */
function createStanding(again_ms: number) {
  const open = new Map<string, Standing>();
  return {
    open,
    /** Raises the alarm where it does not stand yet, or ends it. */
    set(alarm: Alarm, holds: boolean, now_ms: number): Told[] {
      const name = nameOf(alarm);
      const known = open.get(name);
      if (holds && known !== undefined) {
        known.alarm = alarm;
        return [];
      }
      if (holds === (known !== undefined)) return [];
      const fresh = { alarm, id: idOf(alarm), since_ms: now_ms, told_ms: now_ms, isAcknowledged: false };
      if (holds) open.set(name, fresh);
      else open.delete(name);
      return [{ type: holds ? "raised" : "over", alarm: known?.alarm ?? alarm }];
    },
    /** Raises it anew, with what stood before it. */
    renew(alarm: Alarm, now_ms: number): Told[] {
      const known = open.get(nameOf(alarm))?.alarm;
      open.delete(nameOf(alarm));
      const what = known === undefined ? alarm.what : `${alarm.what}; ${known.what}`.slice(0, WHAT_MAX);
      const height = Math.max(known?.height ?? 0, alarm.height ?? 0);
      return this.set({ ...alarm, what, height }, true, now_ms);
    },
    again(now_ms: number): Told[] {
      return [...open.values()].flatMap((standing) => {
        const isDue = alarmKinds[standing.alarm.kind].severity === "page" && now_ms - standing.told_ms >= again_ms;
        if (!isDue || standing.isAcknowledged) return [];
        standing.told_ms = now_ms;
        return [{ type: "stands", alarm: standing.alarm } as const];
      });
    },
    acknowledge(id: string): Told[] {
      const found = [...open.values()].find((standing) => standing.id === id && !standing.isAcknowledged);
      if (found === undefined) return [];
      found.isAcknowledged = true;
      return [{ type: "acknowledged", alarm: found.alarm }];
    },
  };
}

type StandingAlarms = ReturnType<typeof createStanding>;

export function createWatch(terms: WatchTerms = watchTerms): Watch {
  const standing = createStanding(terms.again_ms);
  const chains = new Map<number, ChainSeen>();
  const lateness = createLateness(terms);
  const watched: Watched = {
    ordered: { newest: 0 },
    terms,
    standing,
    lateness,
    budgets: createBudgets(),
    chains,
    chainOf(service, now_ms) {
      const fresh = {
        height: 0,
        since_ms: now_ms,
        name: `chain ${service}`,
        headers: new BoundedMap<number, never>(HEIGHTS_KEPT_MAX),
        claims: new BoundedMap<number, never>(HEIGHTS_KEPT_MAX),
        behind: new Map(),
        waiting: new Map(),
      };
      const chain = chains.get(service) ?? fresh;
      chains.set(service, chain);
      return chain;
    },
  };
  return {
    get open() {
      return [...standing.open.values()];
    },
    step(sight, now_ms) {
      return [...follow(watched, sight, now_ms), ...standing.again(now_ms)];
    },
  };
}

interface Watched {
  /** number of the newest order that was told of: every node's chain has it */
  readonly ordered: { newest: number };
  readonly terms: WatchTerms;
  readonly standing: StandingAlarms;
  readonly lateness: ReturnType<typeof createLateness>;
  readonly budgets: Budgets;
  readonly chains: ReadonlyMap<number, ChainSeen>;
  chainOf(service: number, now_ms: number): ChainSeen;
}

function follow(watched: Watched, sight: Sight, now_ms: number): Told[] {
  const { standing, lateness } = watched;
  switch (sight.type) {
    case "seen":
      return seen(watched, sight, now_ms);
    case "unreached":
      return standing.set(ofNode("unreachable", sight.node, `it does not answer: ${sight.reason}`), true, now_ms);
    case "audited":
      return audited(watched, sight, now_ms);
    case "found":
      return standing.set(sight.alarm, true, now_ms);
    case "mended":
      return standing.set({ ...sight.alarm, what: "" }, false, now_ms);
    case "ordered":
      return ordered(watched, sight.order, now_ms);
    case "spent":
      watched.budgets.note(sight.spent);
      return budgets(watched, sight.spent.service, now_ms);
    case "retired":
      lateness.forget(sight.meters);
      return [];
    case "acknowledged":
      return standing.acknowledge(sight.id);
  }
}

function ordered(watched: Watched, { number, service, fromHeight, what }: RulesOrder, now_ms: number): Told[] {
  if (number <= watched.ordered.newest) return [];
  watched.ordered.newest = number;
  const said = `order ${number} ${what}, from block ${fromHeight} of ${watched.chainOf(service, now_ms).name} on`;
  const alarm = { kind: "rules", node: undefined, service, what: said, height: fromHeight } as const;
  return watched.standing.renew(alarm, now_ms);
}

/** Privacy budgets of a chain's studies that are nearly spent, and that somebody wanted to pass. */
function budgets({ standing, budgets: known }: Watched, service: number, now_ms: number): Told[] {
  const { near, beyond } = known.complaints(service, now_ms);
  const set = (kind: AlarmKind, what: string | undefined) =>
    standing.set({ kind, node: undefined, service, what: what ?? "" }, what !== undefined, now_ms);
  return [...set("budget", near), ...set("beyond-budget", beyond)];
}

function ofNode(kind: AlarmKind, node: string, what: string): Alarm {
  return { kind, node, service: undefined, what };
}

function seen(watched: Watched, { node, chains: states, health }: Sight & { type: "seen" }, now_ms: number): Told[] {
  const { terms, standing } = watched;
  const checks = Object.entries(health.checks).map(([name, found]) => `${name}: ${found[0]?.output ?? ""}`);
  const ailing = ofNode("unhealthy", node, `it says ${health.status}: ${checks.join("; ")}`);
  const told = [
    ...standing.set(ofNode("unreachable", node, "it answers"), false, now_ms),
    ...standing.set(ailing, health.status !== "pass", now_ms),
  ];
  for (const { service, name, height, pending } of states) {
    const chain = watched.chainOf(service, now_ms);
    chain.name = name;
    told.push(...silence(watched, { node, service, pending }, now_ms));
    told.push(...budgets(watched, service, now_ms));
    const lacks_ms = height < chain.height ? (chain.behind.get(node) ?? now_ms) : undefined;
    if (lacks_ms === undefined) chain.behind.delete(node);
    else chain.behind.set(node, lacks_ms);
    const lag = `its chain ${name} is at ${height}, others are at ${chain.height}`;
    const isBehind = lacks_ms !== undefined && now_ms - lacks_ms > terms.behind_ms;
    told.push(...standing.set({ kind: "behind", node, service, what: lag }, isBehind, now_ms));
    // What is not audited yet may well have records of who seems late.
    if (chain.height >= height) told.push(...late(watched, service, now_ms));
  }
  return told;
}

/**
 * Records wait at a node, and nothing is sealed. Each node's wait is its own: one that says that nothing waits speaks of none but its
 * own records.
 */
function silence(
  { terms, standing, chainOf }: Watched,
  { node, service, pending }: { readonly node: string; readonly service: number; readonly pending: number },
  now_ms: number,
): Told[] {
  const chain = chainOf(service, now_ms);
  const since_ms = chain.waiting.get(node)?.since_ms ?? now_ms;
  if (pending === 0) chain.waiting.delete(node);
  else chain.waiting.set(node, { since_ms, records: pending, seen_ms: now_ms });
  // What a node said that has not answered since is no longer known.
  const known = [...chain.waiting].filter(([, { seen_ms }]) => now_ms - seen_ms <= terms.silent_ms);
  const [longest] = known.sort(([, one], [, other]) => one.since_ms - other.since_ms);
  const waits_ms = longest === undefined ? 0 : now_ms - Math.max(longest[1].since_ms, chain.since_ms);
  const wait = longest === undefined ? "nothing waits" : `${longest[1].records} records wait at ${longest[0]}`;
  const what = `${chain.name}: ${wait}, and no block came for ${Math.round(waits_ms / 1_000)} s`;
  return standing.set({ kind: "silent", node: undefined, service, what }, waits_ms > terms.silent_ms, now_ms);
}

/** Meters that have stopped, and a chain on which most have that are heard on others. */
function late({ standing, lateness, chains }: Watched, service: number, now_ms: number): Told[] {
  const { known, late: meters } = lateness.of(service, now_ms);
  const name = chains.get(service)?.name ?? "";
  const named = meters.slice(0, NAMED_MAX).map(({ meter, last_ms }) => `${meter} since ${timeOf(last_ms)}`);
  const more = meters.length > NAMED_MAX ? `, and ${meters.length - NAMED_MAX} others` : "";
  const what = `${meters.length} of ${known} meters of ${name} are late: ${named.join(", ")}${more}`;
  const elsewhere = meters.filter(({ heardOn }) => heardOn.length > 0);
  const on = [...new Set(elsewhere.flatMap(({ heardOn }) => heardOn))].map((other) => chains.get(other)?.name ?? other);
  const lag = `${elsewhere.length} of ${known} meters are silent on ${name} and heard on ${on.join(", ")}`;
  return [
    ...standing.set({ kind: "late", node: undefined, service, what }, meters.length > 0, now_ms),
    ...standing.set({ kind: "lagging", node: undefined, service, what: lag }, 2 * elsewhere.length > known, now_ms),
  ];
}

function audited(watched: Watched, { node, block, received }: Sight & { type: "audited" }, now_ms: number): Told[] {
  const { terms, standing, lateness } = watched;
  const { service, height, header, time_ms, meters } = block;
  const chain = watched.chainOf(service, now_ms);
  const known = chain.headers.get(height);
  if (known === undefined) chain.headers.set(height, { node, header });
  const claims = chain.claims.get(height) ?? [];
  chain.claims.delete(height);
  const isFirst = height > chain.height;
  if (isFirst) {
    chain.height = height;
    chain.since_ms = now_ms;
    lateness.note(service, time_ms, meters);
  }
  const told = [
    ...endedBy(watched, { node, service, height }, endedByBlock, now_ms),
    ...endedBy(watched, { node: undefined, service, height }, ["rules"], now_ms),
  ];
  if (known !== undefined && known.header !== header) {
    const two = `${header.slice(0, 16)} at ${node} and ${known.header.slice(0, 16)} at ${known.node}`;
    const what = `block ${height} is ${two}: both are sealed`;
    told.push(...standing.set({ kind: "fork", node: undefined, service, what, height }, true, now_ms));
  }
  for (const claim of claims) told.push(...contradicted(watched, claim, { service, height }, now_ms));
  for (const { header: named, ...anchored } of block.anchors) {
    told.push(...contradicted(watched, { node, service, height, header: named }, anchored, now_ms));
  }
  // One that another node has shown before comes late by that node's way here.
  if (received === undefined || !isFirst) return told;
  const off_ms = offBy_ms(time_ms, received);
  const apart = `block ${height} says a time ${Math.round(off_ms / 1_000)} s from this monitor's`;
  told.push(...standing.set({ kind: "clock", node: undefined, service, what: apart }, off_ms > terms.clock_ms, now_ms));
  return told;
}

/** How far a time is from when a block may have been sealed: after its node had none left, and before it came. */
function offBy_ms(time_ms: number, { none_ms, at_ms }: Received): number {
  return Math.max(0, (none_ms ?? time_ms) - time_ms, time_ms - at_ms);
}

interface Served {
  readonly node: string;
  readonly service: number;
  readonly height: number;
}

/** What stood against the node's chain up to this block, or was to come with it. */
function endedBy(
  { standing }: Watched,
  { node, service, height }: Omit<Served, "node"> & { readonly node: string | undefined },
  kinds: readonly AlarmKind[],
  now_ms: number,
): Told[] {
  return kinds.flatMap((kind) => {
    const known = standing.open.get(nameOf({ kind, node, service }));
    if (known === undefined || (known.alarm.height ?? 0) > height) return [];
    return standing.set(known.alarm, false, now_ms);
  });
}

/** Where a block names another block of a chain than nodes serve of it; one that nobody has served yet is compared when it comes. */
function contradicted(
  { standing, chainOf }: Watched,
  claim: Claim,
  anchored: Pick<Served, "service" | "height">,
  now_ms: number,
): Told[] {
  const chain = chainOf(anchored.service, now_ms);
  const known = chain.headers.get(anchored.height);
  if (known === undefined) {
    const claims = chain.claims.get(anchored.height) ?? [];
    const isNew = claims.length < CLAIMS_MAX && claims.every(({ header }) => header !== claim.header);
    // What is below has been compared, and is forgotten.
    if (isNew && anchored.height > chain.height) chain.claims.set(anchored.height, [...claims, claim]);
    return [];
  }
  if (known.header === claim.header) return [];
  const { node, service, height } = claim;
  const named = `block ${anchored.height} of chain ${anchored.service} as ${claim.header.slice(0, 16)}`;
  const what = `block ${height} names ${named}, ${known.node} serves ${known.header.slice(0, 16)}`;
  return standing.set({ kind: "anchor", node, service, what, height }, true, now_ms);
}

function timeOf(time_ms: number): string {
  return new Date(time_ms).toISOString().slice(0, 19).concat("Z");
}

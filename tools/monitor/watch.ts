// What the monitor makes of what it sees of nodes and their chains: alarms that are raised, and those that are over. Pure; time is handed in.

import { BoundedMap } from "../bounded-map.js";
import type { ChainState } from "../routes/chains.js";
import type { HealthAnswer } from "../routes/health.js";
import { type Alarm, type AlarmKind, nameOf } from "./alarms.js";

export interface WatchTerms {
  /** records wait, and nothing is sealed */
  readonly silent_ms: number;
  /** others have blocks for so long that a node has not */
  readonly behind_ms: number;
  /** between a new block's time and ours */
  readonly clock_ms: number;
}

export const watchTerms: WatchTerms = { silent_ms: 60_000, behind_ms: 60_000, clock_ms: 30_000 };

/** Header hashes of a chain that are kept to hold nodes against each other. */
const HEIGHTS_KEPT_MAX = 10_000;

export type Sight =
  | {
      readonly type: "seen";
      readonly node: string;
      readonly chains: readonly ChainState[];
      readonly health: HealthAnswer;
    }
  | { readonly type: "unreached"; readonly node: string; readonly reason: string }
  /** a block that is good in every respect; `isNew`: it was sealed while this watched */
  | { readonly type: "audited"; readonly node: string; readonly block: AuditedPlace; readonly isNew: boolean }
  /** what an audit or a look at a state has found, which stands until `mended` */
  | { readonly type: "found"; readonly alarm: Alarm }
  | { readonly type: "mended"; readonly alarm: Omit<Alarm, "what"> };

export interface AuditedPlace {
  readonly service: number;
  readonly height: number;
  readonly header: string;
  readonly time_ms: number;
}

export type Told = { readonly type: "raised" | "over"; readonly alarm: Alarm };

export interface Watch {
  /** What follows from a sight, at a time of this machine in UTC milliseconds. */
  step(sight: Sight, now_ms: number): readonly Told[];
  readonly open: readonly Alarm[];
}

interface ChainSeen {
  /** highest anywhere, since when */
  height: number;
  since_ms: number;
  readonly headers: BoundedMap<number, { readonly node: string; readonly header: string }>;
  /** by node: since when it lacks what others have */
  readonly behind: Map<string, number>;
}

export function createWatch(terms: WatchTerms = watchTerms): Watch {
  const open = new Map<string, Alarm>();
  const chains = new Map<number, ChainSeen>();

  const chainOf = (service: number, now_ms: number): ChainSeen => {
    const fresh = { height: 0, since_ms: now_ms, headers: new BoundedMap<number, never>(HEIGHTS_KEPT_MAX) };
    const chain = chains.get(service) ?? { ...fresh, behind: new Map() };
    chains.set(service, chain);
    return chain;
  };
  /** Raises the alarm where it is not open yet, or ends it. */
  const set = (alarm: Alarm, holds: boolean): Told[] => {
    const name = nameOf(alarm);
    const known = open.get(name);
    if (holds === (known !== undefined)) return [];
    if (holds) open.set(name, alarm);
    else open.delete(name);
    return [{ type: holds ? "raised" : "over", alarm: known ?? alarm }];
  };
  const ofNode = (kind: AlarmKind, node: string, what: string): Alarm => ({ kind, node, service: undefined, what });

  const seen = ({ node, chains: states, health }: Sight & { type: "seen" }, now_ms: number): Told[] => {
    const checks = Object.entries(health.checks).map(([name, found]) => `${name}: ${found[0]?.output ?? ""}`);
    const told = [
      ...set(ofNode("unreachable", node, "it answers"), false),
      ...set(ofNode("unhealthy", node, `it says ${health.status}: ${checks.join("; ")}`), health.status !== "pass"),
    ];
    for (const { service, name, height, pending } of states) {
      const chain = chainOf(service, now_ms);
      if (height > chain.height || pending === 0) chain.since_ms = now_ms;
      chain.height = Math.max(chain.height, height);
      const waits_ms = now_ms - chain.since_ms;
      const silence = `${pending} records of ${name} wait, and no block came for ${Math.round(waits_ms / 1_000)} s`;
      const silent: Alarm = { kind: "silent", node: undefined, service, what: silence };
      if (pending > 0 || height >= chain.height) told.push(...set(silent, pending > 0 && waits_ms > terms.silent_ms));
      const lacks_ms = height < chain.height ? (chain.behind.get(node) ?? now_ms) : undefined;
      if (lacks_ms === undefined) chain.behind.delete(node);
      else chain.behind.set(node, lacks_ms);
      const lag = `its chain ${name} is at ${height}, others are at ${chain.height}`;
      const isBehind = lacks_ms !== undefined && now_ms - lacks_ms > terms.behind_ms;
      told.push(...set({ kind: "behind", node, service, what: lag }, isBehind));
    }
    return told;
  };
  const audited = ({ node, block, isNew }: Sight & { type: "audited" }, now_ms: number): Told[] => {
    const { service, height, header, time_ms } = block;
    const chain = chainOf(service, now_ms);
    const known = chain.headers.get(height);
    if (known === undefined) chain.headers.set(height, { node, header });
    const isOther = known !== undefined && known.header !== header;
    const what = `block ${height} is ${header.slice(0, 16)} at ${node} and ${known?.header.slice(0, 16)} at ${known?.node}`;
    const fork = isOther ? set({ kind: "fork", node: undefined, service, what: `${what}: both are sealed` }, true) : [];
    if (!isNew) return fork;
    const off_ms = Math.abs(now_ms - time_ms);
    const apart = `block ${height} says a time ${Math.round(off_ms / 1_000)} s from this monitor's`;
    return [...fork, ...set({ kind: "clock", node: undefined, service, what: apart }, off_ms > terms.clock_ms)];
  };
  return {
    get open() {
      return [...open.values()];
    },
    step(sight, now_ms) {
      switch (sight.type) {
        case "seen":
          return seen(sight, now_ms);
        case "unreached":
          return set(ofNode("unreachable", sight.node, `it does not answer: ${sight.reason}`), true);
        case "audited":
          return audited(sight, now_ms);
        case "found":
          return set(sight.alarm, true);
        case "mended":
          return set({ ...sight.alarm, what: "" }, false);
      }
    },
  };
}

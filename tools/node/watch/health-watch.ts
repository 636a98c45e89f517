// Looks at a running node every few seconds and when it is asked, for health.ts to judge: its chains, its links, its disk.

import { stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { BoundedMap } from "../../bounded-map.js";
import type { Chain } from "../chain/chain.js";
import type { ChainLog } from "../chain/ports.js";
import type { MissingOfChain } from "../disclosures/missing/missing.js";
import { PAGES_FILE } from "../store/lmdb.js";
import type { Store } from "../store/store.js";
import {
  type BlockSeen,
  type ChainSeen,
  CLOCK_OFF_MAX_MS,
  checks,
  clockOffset_ms,
  type History,
  judge,
  type MissingSeen,
  noHistory,
  remember,
  rememberBlock,
  type Seen,
  type Verdict,
} from "./health.js";
import type { Metrics } from "./metrics.js";

const LOOK_MS = 5_000;
/** Two processes with one key are told of for so long after they were last seen; so many nodes at most. */
const DOUBLE_MS = 600_000;
const DOUBLE_MAX = 128;
/** A run that failed as messages have no end is told of for so long; so many contracts at most. */
const ENDLESS_MS = 600_000;
const ENDLESS_MAX = 256;
const ranks = { pass: 0, warn: 1, fail: 2 } as const;

export interface HealthPorts {
  readonly self: string;
  readonly chains: ReadonlyMap<number, Chain>;
  nameOf(service: number): string;
  /** ids of the nodes that are connected */
  connected(): readonly string[];
  /** ids of nodes whose custody key nothing can be sealed to */
  unusableCustodians(): readonly string[];
  /** what this node lacks as a member of the chain; undefined where it is none */
  missingOf(chain: number): MissingOfChain | undefined;
  /** names of nodes by id */
  nodeNames(): ReadonlyMap<string, string>;
  /** MQTT clients, or 1 where a shared broker is connected */
  connections(): number;
  readonly writes: WriteWatch;
  /** the folder whose disk must have room */
  readonly folder: string;
  readonly metrics: Metrics;
  readonly log: Pick<ChainLog, "warn">;
}

export interface HealthWatch {
  /** The verdict of this moment; the metrics have it too. */
  verdict(): Verdict;
  /** The time, UTC: by the newest blocks where the own clock contradicts them, so that no meter is blamed for it. */
  now_ms(): number;
  /** A block of some chain was stored. */
  onBlock(block: BlockSeen): void;
  /** Somebody asked for what is damaged in the store. */
  onDamage(reason: string): void;
  /** Two processes of the node of this name were seen. */
  onTwoRuns(name: string): void;
  /** A run of the chain's contract failed, as messages answer each other without end. */
  onEndless(service: number, contract: string): void;
  /** The shared broker was reached, or lost for the reason. */
  onBroker(connected: boolean, detail: string): void;
  stop(): void;
}

/** Watches from here on. */
export function createHealthWatch(ports: HealthPorts): HealthWatch {
  let history: History = noHistory;
  let space: Seen["space"];
  let measuring = false;
  let damage: string | undefined;
  const doubleAt = new BoundedMap<string, number>(DOUBLE_MAX);
  const endlessAt = new BoundedMap<
    string,
    { readonly service: number; readonly contract: string; readonly at_ms: number }
  >(ENDLESS_MAX);
  let brokerLost: string | undefined;
  let clockSaid = false;
  /** looked at with the rest, as it is asked for with every record */
  let correction_ms = 0;

  const chainSeen = (service: number, { head, pendingRecords, standing }: Chain): ChainSeen => ({
    service,
    name: ports.nameOf(service),
    height: head.height,
    block_ms: head.height === 0 ? 0 : head.time_ms,
    records: pendingRecords,
    isMember: standing.members.includes(ports.self),
    endless: endlessOf(service),
    missing: missingSeen(ports.missingOf(service)),
    ...standing,
  });
  const endlessOf = (service: number) => {
    const since_ms = performance.now() - ENDLESS_MS;
    const lately = [...endlessAt.values()].filter((one) => one.service === service && one.at_ms > since_ms);
    return lately.map(({ contract }) => contract).sort();
  };
  const look = (): Verdict => {
    const now_ms = performance.now();
    const seen: Seen = {
      self: ports.self,
      clock_ms: Date.now(),
      connected: ports.connected(),
      chains: [...ports.chains].map(([service, chain]) => chainSeen(service, chain)),
      oldestWrite_ms: ports.writes.oldest_ms(),
      space,
      damage,
      brokerLost,
      names: ports.nodeNames(),
      unusableCustodians: ports.unusableCustodians().map((id) => ports.nodeNames().get(id) ?? id),
      double: [...doubleAt].flatMap(([name, at_ms]) => (now_ms - at_ms < DOUBLE_MS ? [name] : [])),
    };
    history = remember(history, seen, now_ms);
    const offset_ms = clockOffset_ms(history, seen.clock_ms, now_ms);
    correction_ms = Math.abs(offset_ms) > CLOCK_OFF_MAX_MS ? offset_ms : 0;
    const verdict = judge(history, seen, now_ms);
    sayClock(verdict);
    tellSeen(ports.metrics, seen, offset_ms);
    ports.metrics.connections.set(ports.connections());
    ports.metrics.health.set(ranks[verdict.status]);
    for (const check of checks) {
      const count = verdict.problems.filter((problem) => problem.check === check).length;
      ports.metrics.problems.set({ check }, count);
    }
    return verdict;
  };
  /** Once, until it is right again. */
  const sayClock = ({ problems }: Verdict) => {
    const clock = problems.find(({ check }) => check === "clock:offset");
    if (clock !== undefined && !clockSaid) ports.log.warn({}, clock.output);
    clockSaid = clock !== undefined;
  };
  /** One at a time: on a disk that hangs this hangs too. */
  const measure = async () => {
    if (measuring) return;
    measuring = true;
    try {
      const { bavail, blocks, bsize } = await statfs(ports.folder);
      space = { free_bytes: bavail * bsize, size_bytes: blocks * bsize };
      ports.metrics.storeSize.set((await stat(join(ports.folder, PAGES_FILE))).size);
    } catch {
      space = undefined;
    }
    measuring = false;
  };

  void measure();
  const timer = setInterval(() => {
    look();
    void measure();
  }, LOOK_MS);
  return {
    verdict: look,
    now_ms: () => Date.now() + correction_ms,
    onBlock(block) {
      history = rememberBlock(history, block, performance.now());
    },
    onDamage(reason) {
      damage = reason;
    },
    onTwoRuns(name) {
      doubleAt.set(name, performance.now());
    },
    onEndless(service, contract) {
      endlessAt.set(`${service}/${contract}`, { service, contract, at_ms: performance.now() });
    },
    onBroker(connected, detail) {
      brokerLost = connected ? undefined : detail;
    },
    stop: () => clearInterval(timer),
  };
}

function missingSeen(missing: MissingOfChain | undefined): MissingSeen {
  if (missing === undefined) return { disclosures: 0, shares: 0, origins: [], since_s: undefined };
  const { disclosures, shares } = missing;
  const times = [disclosures.since_s, shares.since_s].filter((time_s) => time_s !== undefined);
  return {
    disclosures: disclosures.count,
    shares: shares.count,
    origins: shares.origins,
    since_s: times.length === 0 ? undefined : Math.min(...times),
  };
}

/** What was seen, as gauges: what alarms are made of. */
function tellSeen(metrics: Metrics, { self, chains, connected, space, brokerLost }: Seen, offset_ms: number): void {
  for (const { service, name, records, block_ms, unverified, missing, members } of chains) {
    const of = { service: String(service) };
    metrics.chain.set({ ...of, name }, 1);
    metrics.waiting.set(of, records);
    metrics.unverified.set(of, unverified);
    metrics.disclosuresMissing.set(of, missing.disclosures);
    metrics.sharesMissing.set(of, missing.shares);
    metrics.missingSince.set(of, missing.since_s ?? 0);
    if (block_ms > 0) metrics.blockTime.set(of, block_ms / 1_000);
    for (const node of members) {
      if (node !== self) metrics.peerConnected.set({ node }, connected.includes(node) ? 1 : 0);
    }
  }
  metrics.clockOffset.set(offset_ms / 1_000);
  metrics.brokerConnected.set(brokerLost === undefined ? 1 : 0);
  if (space === undefined) return;
  metrics.diskFree.set(space.free_bytes);
  metrics.diskSize.set(space.size_bytes);
}

export interface WriteWatch {
  /** how long the oldest write under way has taken so far; 0 where there is none */
  oldest_ms(): number;
}

/** The same store, and how long its writes take. */
export function watchWrites(store: Store): { readonly store: Store; readonly writes: WriteWatch } {
  /** by their beginnings, the oldest first */
  const underWay = new Map<symbol, number>();
  return {
    store: {
      ...store,
      async write(fill) {
        const write = Symbol("write");
        underWay.set(write, performance.now());
        try {
          await store.write(fill);
        } finally {
          underWay.delete(write);
        }
      },
    },
    writes: {
      oldest_ms() {
        for (const since_ms of underWay.values()) return performance.now() - since_ms;
        return 0;
      },
    },
  };
}

// Measures a running cluster: what it seals at most, what a record takes at half of that, what it
// costs, and what idleness costs.

import { setTimeout as pause } from "node:timers/promises";
import type { ChainState } from "../../routes/chains.js";
import { type Cluster, diskUsage_bytes } from "../rig/cluster.js";
import { readProcessUsage } from "../rig/process-usage.js";
import type { GeneratedMeter, GeneratorAnswer, GeneratorOrder, LoadCheck, Preparation } from "./generator.js";
import type { PhaseResult } from "./load.js";
import type { VerifierResult } from "./verifier.js";
import { startWorker, type Worker } from "./worker.js";

export interface MeasuredPhase extends PhaseResult {
  /** by process; absent where the system does not tell */
  readonly cpu_s_per_1000_records: Readonly<Record<string, number>>;
}

export interface ClusterMeasurement {
  readonly record_bytes: number;
  /** records without receipt that each connection keeps under way in the closed loop */
  readonly window: number;
  /** Ed25519 on all cores, right before the saturated phase and right after it */
  readonly verify: { readonly before: VerifierResult; readonly after: VerifierResult };
  /** how long the nodes had been loaded when the saturated phase's measurement began */
  readonly warmup_s: number;
  readonly saturated: MeasuredPhase;
  readonly half: MeasuredPhase;
  readonly published: number;
  readonly sealed: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly receipts: Omit<LoadCheck, "published">;
  readonly chains: readonly ChainState[];
}

export interface LoadPlan {
  readonly seconds: number;
  /** as fast as the cluster can, before that is measured */
  readonly warmup_s: number;
  /** no cluster on this machine can seal more records in a second: so many are made ready */
  readonly limit_per_s: number;
  /** Ed25519 on all cores, while the cluster has nothing to do */
  verify(): Promise<VerifierResult>;
  /** in each record; as a household's where absent */
  readonly registers?: number;
  /** the last of them is a confidential group of its own */
  readonly hides?: boolean;
  /** participants in the place of meters; they keep fewer operations under way, as a block holds few */
  readonly participants?: { readonly folders: readonly string[]; readonly underWay: number };
}

export interface IdleMeasurement {
  readonly seconds: number;
  /** of all nodes together, in percent of one core; absent where the system does not tell */
  readonly cpu_percent?: number;
  readonly written_bytes?: number;
  readonly blocks: number;
}

export interface DiskMeasurement {
  readonly data_bytes: number;
  readonly bytes_per_record: number;
  /** of the mean signed record */
  readonly ratio: number;
}

/**
 * Records under way in the closed loop, all connections together: a second's worth and more, so
 * that no node waits for meters.
 */
const UNDER_WAY = 6_400;
/** Less than the sequence numbers that a chain takes out of order. */
const WINDOW_MAX = 512;
const DRAIN_MAX_S = 60;
const PAUSE_MS = 3_000;
/** Of the measurement at half the load, by when the nodes are warm. */
const PACE_WARMUP_S = 5;
/** Connections do not share the load evenly. */
const RESERVE = 1.4;

type Generator = Worker<GeneratorOrder, GeneratorAnswer>;

/**
 * Puts the load on the cluster. Throws where the cluster does not take it; what got lost is in the
 * result.
 */
export async function measureCluster(
  cluster: Cluster,
  plan: LoadPlan,
  onStep: (step: string) => void,
): Promise<ClusterMeasurement> {
  const generator: Generator = startWorker("generator");
  const { warmup_s, seconds, verify } = plan;
  const { folders, underWay } = plan.participants ?? { folders: cluster.meterFolders, underWay: UNDER_WAY };
  const window = Math.min(WINDOW_MAX, Math.ceil(underWay / folders.length));
  try {
    onStep("signing the load");
    const { record_bytes } = (await generator.ask({
      order: "prepare",
      meters: meterPlans(cluster, folders, plan),
    })) as Preparation;
    await generator.ask({ order: "connect", host: cluster.host });
    onStep("verifying on all cores");
    const before = await verify();
    onStep(`sealing as fast as the cluster can, ${warmup_s} s until it is warm`);
    const saturate = { order: "saturate", window, warmup_s, seconds } as const;
    const saturated = await measurePhase(cluster, generator, saturate);
    await drain(generator);
    await cluster.allVerified();
    onStep("verifying on all cores again");
    const after = await verify();
    const rate_per_s = saturated.records_per_s / 2;
    onStep(`sealing half of that, ${Math.round(rate_per_s)} records/s`);
    const half = await measurePhase(cluster, generator, {
      order: "pace",
      rate_per_s,
      warmup_s: PACE_WARMUP_S,
      seconds,
    });
    await drain(generator);
    await cluster.allVerified();
    const check = (await generator.ask({ order: "check", genesis: cluster.genesis })) as LoadCheck;
    const chains = await cluster.agreedChains();
    const sealed = chains.reduce((sum, chain) => sum + chain.records, 0);
    const { published, ...receipts } = check;
    return {
      record_bytes,
      window,
      verify: { before, after },
      warmup_s,
      saturated,
      half,
      published,
      sealed,
      lost: published - receipts.receipted,
      // A record that has its receipt is sealed; more records on the chains than those are sealed
      // twice.
      duplicated: Math.max(0, sealed - published),
      receipts,
      chains,
    };
  } finally {
    await generator.end();
  }
}

/** What bounds a cluster on this machine, in records a second: so many verify every record before it is sealed. */
export function limitOf({ verify }: Pick<ClusterMeasurement, "verify">, verifiers: number): number {
  return (verify.before.per_s + verify.after.per_s) / 2 / verifiers;
}

/** What the nodes use and do while nobody sends them anything. */
export async function measureIdle(cluster: Cluster, seconds: number): Promise<IdleMeasurement> {
  await pause(PAUSE_MS);
  const usages = () => cluster.nodes.map(({ pid }) => readProcessUsage(pid));
  const heights = async () => (await cluster.agreedChains()).reduce((sum, { height }) => sum + height, 0);
  const blocksBefore = await heights();
  const before = usages();
  await pause(seconds * 1000);
  const after = usages();
  const blocks = (await heights()) - blocksBefore;
  const spent = after.map((usage, index) => ({ usage, earlier: before[index] }));
  const sum = (name: "cpu_s" | "written_bytes") =>
    spent.reduce((total, { usage, earlier }) => total + (usage?.[name] ?? Number.NaN) - (earlier?.[name] ?? 0), 0);
  const cpu_percent = (sum("cpu_s") / seconds) * 100;
  if (Number.isNaN(cpu_percent)) return { seconds, blocks };
  return { seconds, cpu_percent, written_bytes: sum("written_bytes"), blocks };
}

/** What one stopped node's store takes for what is sealed. */
export async function measureDisk(
  cluster: Cluster,
  { sealed, record_bytes }: Pick<ClusterMeasurement, "sealed" | "record_bytes">,
): Promise<DiskMeasurement> {
  const data_bytes = await diskUsage_bytes(cluster.nodes[0]!.dataFolder);
  const bytes_per_record = data_bytes / sealed;
  return { data_bytes, bytes_per_record, ratio: bytes_per_record / record_bytes };
}

function meterPlans(
  { network, nodes, services }: Cluster,
  folders: readonly string[],
  plan: LoadPlan,
): GeneratedMeter[] {
  const phases_s = plan.warmup_s + plan.seconds + (PACE_WARMUP_S + plan.seconds) / 2;
  const records = Math.ceil((plan.limit_per_s * phases_s * RESERVE) / folders.length);
  const time_s = Math.floor(Date.now() / 1000);
  return folders.map((folder, index) => ({
    ...{ folder, network, records, asks: plan.participants !== undefined },
    ...(plan.registers !== undefined && { registers: plan.registers }),
    ...(plan.hides && { hides: true }),
    time_s,
    port: nodes[index % nodes.length]!.mqttPort,
    // Meters of one node are spread over all chains.
    service: services[Math.floor(index / nodes.length) % services.length]!,
  }));
}

async function drain(generator: Generator): Promise<void> {
  await generator.ask({ order: "drain", seconds: DRAIN_MAX_S });
}

async function measurePhase(
  cluster: Cluster,
  generator: Generator,
  order: Extract<GeneratorOrder, { order: "saturate" | "pace" }>,
): Promise<MeasuredPhase> {
  const processes = [...cluster.nodes, { name: "load generator", pid: generator.pid }];
  const usages = () => processes.map(({ pid }) => readProcessUsage(pid)?.cpu_s);
  const running = generator.ask(order) as Promise<PhaseResult>;
  // A phase that fails while this waits is reported when it is awaited.
  running.catch(() => undefined);
  await pause(order.warmup_s * 1000);
  const before = usages();
  const result = await running;
  const after = usages();
  const cpu = processes.flatMap(({ name }, index): (readonly [string, number])[] => {
    const from_s = before[index];
    const to_s = after[index];
    if (from_s === undefined || to_s === undefined) return [];
    return [[name, ((to_s - from_s) * 1000) / Math.max(1, result.records)]];
  });
  return { ...result, cpu_s_per_1000_records: Object.fromEntries(cpu) };
}

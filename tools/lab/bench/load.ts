// The load on a cluster. First closed loop: every connection keeps a window of records without
// receipt, which shows what the cluster can seal. Then open loop at a given rate: each latency
// counts from the moment at which the record was due.

import type { LoadConnection } from "../rig/load-connection.js";
import { type LatencySummary, summarise } from "./quantile.js";

export interface PhaseResult extends LatencySummary {
  /** records whose receipts came within the measured time */
  readonly records: number;
  readonly seconds: number;
  readonly records_per_s: number;
}

export interface SampledReceipt {
  readonly connection: LoadConnection;
  readonly index: number;
  readonly bytes: Uint8Array;
}

export interface LoadTotals {
  readonly published: number;
  readonly receipted: number;
  /** receipts that came again */
  readonly repeated: number;
  readonly refused: Readonly<Record<string, number>>;
}

export interface Load {
  /** Hands the connections over; their events go to `events` from the start. */
  begin(connections: readonly LoadConnection[]): void;
  readonly events: {
    onReceipt(connection: LoadConnection, index: number, receipt: Buffer): void;
    onRepeatedReceipt(): void;
    onReceiptsRead(connection: LoadConnection): void;
    onRefused(reason: string): void;
    onFailed(error: Error): void;
  };
  /** Keeps `window` records of every connection under way. Both phases measure after warming up. */
  saturate(window: number, warmup_s: number, seconds: number): Promise<PhaseResult>;
  /** Publishes at a steady rate, records a second over all connections in turn. */
  pace(rate_per_s: number, warmup_s: number, seconds: number): Promise<PhaseResult>;
  /**
   * Waits until every published record has its receipt; false where that takes longer than
   * `seconds`.
   */
  drain(seconds: number): Promise<boolean>;
  totals(): LoadTotals;
  readonly samples: readonly SampledReceipt[];
}

/** Every so many-th receipt is kept whole, up to a limit. */
const SAMPLE_EVERY = 50;
const SAMPLES_MAX = 1_000;
const PACE_TICK_MS = 5;

interface Phase {
  /** on the monotonic clock: between these, receipts count */
  readonly from_ms: number;
  readonly to_ms: number;
  /** records that every connection keeps under way; 0 where a timer publishes */
  readonly window: number;
  readonly latencies_ms: number[];
}

export function createLoad(): Load {
  let connections: readonly LoadConnection[] = [];
  /** when each record was due or published, by connection */
  const due_ms = new Map<LoadConnection, Float64Array>();
  const samples: SampledReceipt[] = [];
  const refused: Record<string, number> = {};
  let failure: Error | undefined;
  let repeated = 0;
  let receipted = 0;
  let phase: Phase | undefined;

  const publish = (connection: LoadConnection, count: number, time_ms: number): number => {
    const first = connection.published;
    const sent = connection.publish(count);
    due_ms.get(connection)!.fill(time_ms, first, first + sent);
    return sent;
  };

  const refill = (connection: LoadConnection) => {
    const now_ms = performance.now();
    if (phase === undefined || phase.window === 0 || now_ms >= phase.to_ms) return;
    const underWay = connection.published - connection.receipted;
    publish(connection, phase.window - underWay, now_ms);
  };

  const run = async (
    window: number,
    warmup_s: number,
    seconds: number,
    publishing: (phase: Phase) => Promise<void>,
  ) => {
    const from_ms = performance.now() + warmup_s * 1000;
    const current: Phase = { from_ms, to_ms: from_ms + seconds * 1000, window, latencies_ms: [] };
    phase = current;
    await publishing(current);
    phase = undefined;
    if (failure !== undefined) throw failure;
    const records = current.latencies_ms.length;
    const summary = summarise(Float64Array.from(current.latencies_ms));
    return { records, seconds, records_per_s: records / seconds, ...summary };
  };

  return {
    begin(opened) {
      connections = opened;
      for (const connection of opened) due_ms.set(connection, new Float64Array(connection.prepared.count));
    },
    events: {
      onReceipt(connection, index, receipt) {
        const now_ms = performance.now();
        receipted += 1;
        if (phase !== undefined && now_ms >= phase.from_ms && now_ms < phase.to_ms) {
          phase.latencies_ms.push(now_ms - due_ms.get(connection)![index]!);
        }
        if (receipted % SAMPLE_EVERY === 0 && samples.length < SAMPLES_MAX) {
          samples.push({ connection, index, bytes: Uint8Array.from(receipt) });
        }
      },
      onRepeatedReceipt() {
        repeated += 1;
      },
      onReceiptsRead: refill,
      onRefused(reason) {
        refused[reason] = (refused[reason] ?? 0) + 1;
      },
      onFailed(error) {
        failure ??= error;
      },
    },
    saturate: (window, warmup_s, seconds) =>
      run(window, warmup_s, seconds, async (current) => {
        for (const connection of connections) refill(connection);
        while (performance.now() < current.to_ms && failure === undefined) {
          await pause(Math.min(100, current.to_ms - performance.now()));
          if (connections.some(isExhausted))
            throw new Error("the prepared records ran out while the cluster was measured");
        }
      }),
    pace: (rate_per_s, warmup_s, seconds) =>
      run(0, warmup_s, seconds, async (current) => {
        const start_ms = performance.now();
        let sent = 0;
        for (let now_ms = start_ms; now_ms < current.to_ms && failure === undefined; now_ms = performance.now()) {
          for (const due = ((now_ms - start_ms) * rate_per_s) / 1000; sent < due; sent += 1) {
            const connection = connections[sent % connections.length]!;
            if (isExhausted(connection)) throw new Error("the prepared records ran out while the cluster was measured");
            publish(connection, 1, start_ms + (sent * 1000) / rate_per_s);
          }
          await pause(PACE_TICK_MS);
        }
      }),
    async drain(seconds) {
      const until_ms = performance.now() + seconds * 1000;
      const isDone = () => connections.every((connection) => connection.receipted === connection.published);
      while (!isDone() && performance.now() < until_ms && failure === undefined) await pause(50);
      if (failure !== undefined) throw failure;
      return isDone();
    },
    totals: () => ({
      published: connections.reduce((sum, connection) => sum + connection.published, 0),
      receipted,
      repeated,
      refused,
    }),
    samples,
  };
}

function isExhausted(connection: LoadConnection): boolean {
  return connection.published === connection.prepared.count;
}

function pause(delay_ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delay_ms));
}

// Erases what the chain has sealed an erasure of: shares of day keys, day keys, ciphertexts. All of a meter is gone over as the block comes
// and at each start, as what was restored may have it still. Of what is sealed later only the new records are looked at.

import { fromHex } from "../../../src/wire/bytes.js";
import { type ErasedDays, erasedDaysOf, erasedMeters, mergedRuns, type Run } from "./erased-days.js";
import { type ErasingPorts, eraseAll, eraseOf, type SealedNumber, sayErased } from "./erasing-rows.js";

/** Records of one meter that wait to be looked at; where more come, all of the meter is gone over. */
const WAITING_MAX = 1_024;
/** Free pages are overwritten once in that time: what was erased meanwhile is taken together. A node that stops before writes its file anew. */
const OVERWRITING_MS = 300_000;

export interface Erasing {
  /** Everything that the chain's state says is erased: as the node starts. Resolves when it is. */
  all(chain: number): Promise<void>;
  /** What is erased of one meter, by its id as hex: the chain has sealed an erasure. What was gone over already is not again. */
  meter(chain: number, meter: string): Promise<void>;
  /** What a newly sealed record of a meter with erased days hides, where it is of such a day. */
  record(chain: number, meter: string, sealed: SealedNumber): Promise<void>;
  /** Whether days of the meter are erased. */
  concerns(chain: number, meter: string): boolean;
  /** Overwrites free pages where that has waited long enough. */
  tick(): Promise<void>;
  stop(): void;
}

/** What is to be done for one meter. */
interface Waiting {
  readonly chain: number;
  readonly meter: string;
  /** all of it, `again` where nothing has changed too */
  whole: "no" | "changed" | "again";
  records: SealedNumber[];
}

/** What was erased of a meter when all of it was gone over. */
interface Concern {
  /** the state's rows, as text */
  readonly stated: string;
  readonly runs: readonly Run[];
}

export function createErasing(ports: ErasingPorts): Erasing {
  const { store } = ports;
  /** by chain, a slash and the meter */
  const concerned = new Map<string, Concern>();
  /** by the same, in the order in which they came; one row a meter bounds it */
  const waiting = new Map<string, Waiting>();
  let isStopped = false;
  let running: Promise<void> | undefined;
  let isLeft = false;
  let overwritten_ms = Number.NEGATIVE_INFINITY;

  const perform = async ({ chain, meter, whole, records }: Waiting): Promise<void> => {
    const name = `${chain}/${meter}`;
    const known = concerned.get(name);
    const days = whole === "no" ? [] : erasedDaysOf(store, chain, meter);
    const stated = statedBy(days);
    const isWhole = whole === "again" || (whole === "changed" && stated !== known?.stated);
    const { runs } = isWhole ? { runs: mergedRuns(days) } : (known ?? { runs: [] });
    if (runs.length === 0) return;
    // Before anything is gone over: what is sealed meanwhile counts as new.
    if (isWhole) concerned.set(name, { stated, runs });
    const of = { chain, meter: fromHex(meter)!, runs };
    const hasDestroyed = isWhole ? await eraseAll(ports, of, () => isStopped) : await eraseOf(ports, of, records);
    if (isStopped) return;
    if (isWhole) await sayErased(ports, days);
    isLeft ||= hasDestroyed;
  };

  const isOverwritingDue = (): boolean => {
    const waited_ms = ports.now_ms() - overwritten_ms;
    return isLeft && (waited_ms >= OVERWRITING_MS || waited_ms < 0);
  };
  const overwrite = async (): Promise<void> => {
    isLeft = false;
    overwritten_ms = ports.now_ms();
    await store.overwriteFree();
  };

  /** One after the other, until nothing waits. */
  const drain = async (): Promise<void> => {
    try {
      await ports.afterOthers();
      while (!isStopped && (waiting.size > 0 || isOverwritingDue())) {
        const [next] = waiting;
        if (next === undefined) await overwrite();
        else {
          waiting.delete(next[0]);
          await perform(next[1]);
        }
      }
    } catch (error) {
      // The store may be closed by then.
      if (!isStopped) throw error;
    } finally {
      running = undefined;
    }
  };
  const run = (): Promise<void> => {
    running ??= drain();
    return running;
  };
  const waitFor = (chain: number, meter: string): Waiting => {
    const name = `${chain}/${meter}`;
    const made = waiting.get(name) ?? { chain, meter, whole: "no", records: [] };
    waiting.set(name, made);
    return made;
  };

  return {
    all(chain) {
      for (const meter of erasedMeters(store, chain)) waitFor(chain, meter).whole = "again";
      return run();
    },
    meter(chain, meter) {
      const row = waitFor(chain, meter);
      if (row.whole === "no") row.whole = "changed";
      return run();
    },
    record(chain, meter, sealed) {
      const row = waitFor(chain, meter);
      if (row.records.length === WAITING_MAX) row.whole = "again";
      if (row.whole === "again") row.records = [];
      else row.records.push(sealed);
      return run();
    },
    concerns: (chain, meter) => concerned.has(`${chain}/${meter}`),
    tick: () => (isOverwritingDue() ? run() : Promise.resolve()),
    stop() {
      isStopped = true;
    },
  };
}

function statedBy(days: readonly ErasedDays[]): string {
  return days.map(({ from, until, name }) => `${from} ${until} ${name}`).join();
}

// Which meters this node refuses, told to its operator: a line in the log now and then, and a count for each of the last few. Meters
// that the authority has certified alone: anybody can publish under any other name, and must not fill a log or a registry by it.

import type { Counter } from "prom-client";
import type { RefusalReason } from "../../../src/wire/refusal.js";
import type { ChainLog } from "../chain/ports.js";
import { createLineLimit } from "../watch/line-limit.js";

/** Meters that have a count of their own; the one that was not refused for longest gives its up. */
export const METERS_COUNTED = 64;
/** A meter and reason have one line in so long. */
export const LINE_MS = 600_000;

export interface RefusedMeters {
  note(meter: string, reason: RefusalReason, sentence: string): void;
}

export interface RefusedMetersPorts {
  readonly counter: Counter<"meter" | "reason">;
  readonly log: Pick<ChainLog, "warn">;
  monotonic_ms(): number;
}

export function createRefusedMeters({ counter, log, monotonic_ms }: RefusedMetersPorts): RefusedMeters {
  const lines = createLineLimit(1, LINE_MS);
  /** the one refused last behind the others, with the reasons that it has counts of */
  const counted = new Map<string, Set<RefusalReason>>();

  const count = (meter: string, reason: RefusalReason) => {
    const reasons = counted.get(meter) ?? new Set();
    counted.delete(meter);
    counted.set(meter, reasons.add(reason));
    counter.inc({ meter, reason });
    if (counted.size <= METERS_COUNTED) return;
    const oldest = counted.keys().next().value!;
    for (const one of counted.get(oldest)!) counter.remove({ meter: oldest, reason: one });
    counted.delete(oldest);
  };

  return {
    note(meter, reason, sentence) {
      count(meter, reason);
      const leftOut = lines.take(`${meter} ${reason}`, monotonic_ms());
      if (leftOut === undefined) return;
      log.warn({ meter, reason, detail: sentence, refusals: leftOut + 1 }, "a meter is refused");
    },
  };
}

// How many pulses of an S0 output have been counted, kept over restarts. The count is stored before a record that states it is signed, so
// that no later record falls below it, and otherwise every five minutes; what a power cut takes away is missing, never invented.
// A page of NVS takes 42 such values (ESP-IDF, NVS: 126 entries, three a value), so 16 kB, four pages of 100,000 erases, last for 16.8
// million: five years where a record states the energy every 10 s, thirty at one a minute, a hundred and more at 15 minutes.

import type { KeyValue } from "../host.js";
import { decodeCbor, encodeCbor } from "../wire/cbor.js";
import type { MeterConfiguration } from "./meter-configuration.js";

export interface PulseCount {
  /** as it was stored when this was opened */
  readonly counted: number;
  add(pulses: number): void;
  /** Whether pulses may be missing: the count went on from what was stored, and has not been stored since. */
  readonly resumed: boolean;
  /** Stores the count; to be called before a record that states it. */
  keep(uptime_ms: number): void;
  /** Stores it where that was long ago. */
  keepNowAndThen(uptime_ms: number): void;
}

const KEY = "pulses";
export const KEEP_INTERVAL_MS = 300_000;

/** The count of the meter with this constant and start; of another meter than the stored one it begins at 0. */
export function openPulseCount(
  keyValue: KeyValue,
  { impulses_per_kWh, start_Wh = 0 }: NonNullable<MeterConfiguration["pulse"]>,
): PulseCount {
  const stored = storedCount(keyValue.get(KEY), impulses_per_kWh, start_Wh);
  const counted = stored ?? 0;
  let pulses = counted;
  let kept = stored;
  let kept_ms = 0;
  let resumed = stored !== undefined;

  const keep = (uptime_ms: number): void => {
    kept_ms = uptime_ms;
    resumed = false;
    if (kept === pulses) return;
    keyValue.set(KEY, encodeCbor([impulses_per_kWh, start_Wh, pulses]));
    kept = pulses;
  };

  return {
    counted,
    keep,
    add(more) {
      pulses += more;
    },
    get resumed() {
      return resumed;
    },
    keepNowAndThen(uptime_ms) {
      if (uptime_ms - kept_ms < KEEP_INTERVAL_MS || kept === pulses) return;
      const before = resumed;
      keep(uptime_ms);
      // Only a record tells that pulses may be missing.
      resumed = before;
    },
  };
}

/** Undefined where nothing is stored, or of another meter, or it does not read. */
function storedCount(value: Uint8Array | undefined, impulses_per_kWh: number, start_Wh: number): number | undefined {
  if (value === undefined) return undefined;
  try {
    const [impulses, start, pulses] = decodeCbor(value) as readonly unknown[];
    const isOurs = impulses === impulses_per_kWh && start === start_Wh;
    return isOurs && Number.isSafeInteger(pulses) && (pulses as number) >= 0 ? (pulses as number) : undefined;
  } catch {
    return undefined;
  }
}

// Which meters are late, by the rhythm that each has kept on its chain, and which chain has fallen silent while others go on. Pure; a
// meter's time is that of the block that seals its record, so that no meter's clock counts.

import { toHex } from "../../src/wire/bytes.js";
import { hasOperation } from "../../src/wire/operation.js";
import { kidOf } from "../ledger/record-scan.js";

/** Intervals that a meter must have kept before it can be late. */
const INTERVALS_MIN = 3;
/** How fast a longer interval of before is forgotten. */
const FADING = 0.9;
/** Chains times meters that are remembered. */
const RHYTHMS_MAX = 500_000;

export interface LatenessTerms {
  /** a meter is late when it is silent for so many of its intervals, and `slack_ms` beside */
  readonly intervals: number;
  readonly slack_ms: number;
}

export const latenessTerms: LatenessTerms = { intervals: 3, slack_ms: 60_000 };

/** How the meters of a chain stand at a time. */
export interface ChainLateness {
  /** meters that have kept a rhythm there */
  readonly known: number;
  readonly late: readonly LateMeter[];
}

export interface LateMeter {
  readonly meter: string;
  readonly last_ms: number;
  /** chains on which the same meter is heard in time, and has been heard since it is late here */
  readonly heardOn: readonly number[];
}

interface Rhythm {
  last_ms: number;
  /** the longest of late, fading */
  interval_ms: number;
  intervals: number;
}

export interface Lateness {
  /** A block has records of these meters, by their ids as hex. */
  note(service: number, time_ms: number, meters: Iterable<string>): void;
  /** Nothing more comes of them: revoked, suspended or ended. */
  forget(meters: Iterable<string>): void;
  /** At a time of this machine. */
  of(service: number, now_ms: number): ChainLateness;
}

/** Who has signed a reading among the records: a meter or gateway, each once. A participant asks when it likes, and keeps no rhythm. */
export function metersIn(records: readonly Uint8Array[]): string[] {
  return [...new Set(records.filter((bytes) => !hasOperation(bytes)).map((bytes) => toHex(kidOf({ bytes }))))];
}

export function createLateness({ intervals, slack_ms }: LatenessTerms = latenessTerms): Lateness {
  const chains = new Map<number, Map<string, Rhythm>>();
  let count = 0;
  const isLate = ({ last_ms, interval_ms }: Rhythm, now_ms: number) =>
    now_ms - last_ms > intervals * interval_ms + slack_ms;
  // Where all chains stand still, the one of the longest rhythm is in time a while longer: nobody is heard there either.
  const heardOn = (meter: string, but: number, now_ms: number) => {
    const own = chains.get(but)?.get(meter);
    return [...chains].flatMap(([service, meters]) => {
      const rhythm = service === but ? undefined : meters.get(meter);
      const isHeard = rhythm !== undefined && own !== undefined && isLate(own, rhythm.last_ms);
      return isHeard && !isLate(rhythm, now_ms) ? [service] : [];
    });
  };
  return {
    note(service, time_ms, meters) {
      const chain = chains.get(service) ?? new Map<string, Rhythm>();
      chains.set(service, chain);
      for (const meter of meters) {
        const rhythm = chain.get(meter);
        if (rhythm === undefined) {
          if (count === RHYTHMS_MAX) continue;
          count += 1;
          chain.set(meter, { last_ms: time_ms, interval_ms: 0, intervals: 0 });
          continue;
        }
        // Records that were taken late come together: they are no rhythm.
        if (time_ms <= rhythm.last_ms) continue;
        rhythm.interval_ms = Math.max(time_ms - rhythm.last_ms, FADING * rhythm.interval_ms);
        rhythm.last_ms = time_ms;
        rhythm.intervals += 1;
      }
    },
    forget(meters) {
      for (const meter of meters) for (const chain of chains.values()) if (chain.delete(meter)) count -= 1;
    },
    of(service, now_ms) {
      const late: LateMeter[] = [];
      let known = 0;
      for (const [meter, rhythm] of chains.get(service) ?? []) {
        if (rhythm.intervals < INTERVALS_MIN) continue;
        known += 1;
        if (!isLate(rhythm, now_ms)) continue;
        late.push({ meter, last_ms: rhythm.last_ms, heardOn: heardOn(meter, service, now_ms) });
      }
      return { known, late };
    },
  };
}

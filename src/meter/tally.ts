// The counters of one reader, and the refusals that they count.

import type { Protocol, ReaderCounters, Refusal, RefusalReason } from "./reader.js";

export interface Tally {
  /** Counts a refusal and returns it. */
  refuse(reason: RefusalReason, detail: string): Refusal;
  /** Counts a good frame. */
  read(unknownObjects: number): void;
  /** The counters so far; the framer knows the bytes between frames. */
  counters(noiseBytes: number): ReaderCounters;
}

export const noCounts: ReaderCounters = {
  frames: 0,
  crc: 0,
  truncated: 0,
  oversized: 0,
  malformed: 0,
  unsupported: 0,
  locked: 0,
  decryption: 0,
  replayed: 0,
  silent: 0,
  unknownObjects: 0,
  noiseBytes: 0,
};

/** All at zero. */
export function createTally(protocol: Protocol): Tally {
  const counts: { -readonly [Count in keyof ReaderCounters]: number } = { ...noCounts };
  return {
    refuse(reason, detail) {
      counts[reason]++;
      return { ok: false, protocol, reason, detail };
    },
    read(unknownObjects) {
      counts.frames++;
      counts.unknownObjects += unknownObjects;
    },
    counters: (noiseBytes) => ({ ...counts, noiseBytes }),
  };
}

// How often a node repeats itself: what a peer or a meter causes it to say must not fill its disk. Pure.

export interface LineLimit {
  /** How many lines of this kind were left out before this one; undefined where this one is left out too. */
  take(kind: string, now_ms: number): number | undefined;
}

/** Kinds whose lines are counted apart; whoever makes up more of them shares one count. */
const KINDS_MAX = 1_024;
const OTHER_KINDS = "";

interface Tally {
  since_ms: number;
  lines: number;
  leftOut: number;
}

/** Lets `lines_max` lines of a kind through in every `window_ms`. `now_ms` is monotonic. */
export function createLineLimit(lines_max: number, window_ms: number): LineLimit {
  const tallies = new Map<string, Tally>();
  return {
    take(kind, now_ms) {
      const name = tallies.has(kind) || tallies.size < KINDS_MAX ? kind : OTHER_KINDS;
      const tally = tallies.get(name) ?? { since_ms: now_ms, lines: 0, leftOut: 0 };
      tallies.set(name, tally);
      if (now_ms - tally.since_ms >= window_ms) {
        tally.since_ms = now_ms;
        tally.lines = 0;
      }
      if (tally.lines === lines_max) {
        tally.leftOut += 1;
        return undefined;
      }
      tally.lines += 1;
      const leftOut = tally.leftOut;
      tally.leftOut = 0;
      return leftOut;
    },
  };
}

// How long a test waits: for what it waits for, not for the machine.

import { readFileSync } from "node:fs";

/** On a machine that is busy with other things a wait takes so many times as long at most. */
const LOADED = 5;

export interface Patience {
  readonly isOver: boolean;
  /** since the wait began */
  readonly waited_ms: number;
}

/**
 * Begins a wait. The time in which the machine kept somebody waiting for a processor does not count, up to five times what is granted.
 */
export function beginWait(granted_ms: number): Patience {
  const begun_ms = performance.now();
  const before_ms = stalled_ms();
  const waited_ms = () => performance.now() - begun_ms;
  return {
    get isOver() {
      const free_ms = waited_ms() - (stalled_ms() - before_ms);
      return free_ms > granted_ms || waited_ms() > granted_ms * LOADED;
    },
    get waited_ms() {
      return waited_ms();
    },
  };
}

/** How long somebody on this machine has waited for a processor since it started, as Linux tells (PSI); 0 where it does not. */
function stalled_ms(): number {
  try {
    const total_us = /^some .*total=(\d+)/m.exec(readFileSync("/proc/pressure/cpu", "utf8"))?.[1];
    return Number(total_us ?? 0) / 1_000;
  } catch {
    return 0;
  }
}

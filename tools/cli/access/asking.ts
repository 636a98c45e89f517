// Several nodes asked for the same: one that sleeps holds nobody up.

import { setTimeout as pause } from "node:timers/promises";
import { reasonOf } from "../../errors.js";

/** Where the others have given enough, one that has said nothing has so long. */
export const OTHERS_MS = 1_000;

/** One of those that are asked. */
export interface Asked {
  readonly origin: string;
  /** Takes what it gives, until it is given up; says when something has come. */
  ask(signal: AbortSignal, onHeard: () => void): Promise<void>;
}

export interface Asking {
  /** Whether what has come is all that is wanted. */
  isEnough(): boolean;
  /** All at once, or the next where one has ended, or has said nothing for `OTHERS_MS`. */
  readonly order: "together" | "in turn";
  /** Whether the others may have more where enough has come: they have `OTHERS_MS` then. */
  readonly hearsOthers: boolean;
}

/** Resolves with the origins of those that have given all, in the order in which they have. Complaints name the others. */
export async function askSeveral(nodes: readonly Asked[], asking: Asking, complaints: string[]): Promise<string[]> {
  const { order, isEnough, hearsOthers } = asking;
  const over = new AbortController();
  const { signal } = over;
  const whole: string[] = [];
  const waiting = new Set<string>();
  const left = [...nodes];
  let heard_ms = performance.now();
  let onEnd = () => {};
  const onHeard = () => {
    heard_ms = performance.now();
  };
  const start = async (node: Asked): Promise<void> => {
    const { origin } = node;
    waiting.add(origin);
    onHeard();
    try {
      await node.ask(signal, onHeard);
      if (!signal.aborted) whole.push(origin);
    } catch (error) {
      if (!signal.aborted) complaints.push(reasonOf(error));
    }
    waiting.delete(origin);
    onEnd();
  };
  /** Resolves when one has ended, or at that time. */
  const ended = async (until_ms: number | undefined): Promise<void> => {
    const waited = new AbortController();
    const end = new Promise<void>((resolve) => {
      onEnd = resolve;
    });
    const wait_ms = until_ms === undefined ? undefined : Math.max(0, until_ms - performance.now());
    const late = wait_ms === undefined ? end : pause(wait_ms, undefined, { signal: waited.signal }).catch(() => {});
    await Promise.race([end, late]);
    waited.abort();
  };
  /** Whoever comes next is asked, where nobody has said anything for a while. */
  const startNext = (): void => {
    const isSilent = waiting.size === 0 || performance.now() - heard_ms >= OTHERS_MS;
    const count = order === "together" ? left.length : isSilent && !isEnough() ? 1 : 0;
    for (const node of left.splice(0, count)) void start(node);
  };
  for (startNext(); waiting.size > 0; startNext()) {
    if (whole.length > 0 && isEnough()) break;
    await ended(left.length === 0 ? undefined : heard_ms + OTHERS_MS);
  }
  const until_ms = performance.now() + OTHERS_MS;
  while (hearsOthers && waiting.size > 0 && performance.now() < until_ms) await ended(until_ms);
  for (const origin of waiting) complaints.push(`${origin} has not answered in time, and the others were enough`);
  over.abort();
  return whole;
}

// Refused records that had to give up their place on the way and lie in the outbox again: of each service from which number to which,
// since when, and why. They wait for a receipt like any other, and what counts the waiting ones counts them.

import type { RefusalReason } from "../wire/refusal.js";

export interface Stretch {
  first: number;
  last: number;
  /** when the oldest of them was first offered */
  since_ms: number;
  readonly reason: RefusalReason | undefined;
}

export type Waiter = Pick<Stretch, "since_ms" | "reason"> & { readonly service: number; readonly seq: number };

export class Parked {
  /** behind the outbox's cursor */
  private behind = new Map<number, Stretch>();
  /** before it, since it was set back: they are handed out again in their order */
  private ahead = new Map<number, Stretch>();

  get isEmpty(): boolean {
    return this.behind.size === 0 && this.ahead.size === 0;
  }

  park({ service, seq, since_ms, reason }: Waiter): void {
    join(this.behind, service, { first: seq, last: seq, since_ms, reason });
  }

  /** The outbox hands out from its oldest record again. */
  rewound(): void {
    for (const [service, stretch] of this.behind) join(this.ahead, service, stretch);
    this.behind.clear();
  }

  /** The outbox has handed out all that it holds. */
  passed(): void {
    this.ahead.clear();
  }

  /** A record is handed out; what is known of it, where it was parked. */
  handedOut(service: number, seq: number): Pick<Stretch, "since_ms" | "reason"> | undefined {
    const stretch = this.ahead.get(service);
    if (stretch === undefined || seq < stretch.first) return undefined;
    if (seq >= stretch.last) this.ahead.delete(service);
    stretch.first = seq + 1;
    return seq <= stretch.last ? stretch : undefined;
  }

  /** The lowest number of the service; infinite where there is none. */
  lowest(service: number): number {
    const behind = this.behind.get(service)?.first ?? Number.POSITIVE_INFINITY;
    return Math.min(behind, this.ahead.get(service)?.first ?? Number.POSITIVE_INFINITY);
  }

  /** The one that has waited longest. */
  oldest(): Stretch | undefined {
    let oldest: Stretch | undefined;
    for (const stretches of [this.behind, this.ahead]) {
      for (const stretch of stretches.values()) {
        if (oldest === undefined || stretch.since_ms < oldest.since_ms) oldest = stretch;
      }
    }
    return oldest;
  }
}

function join(stretches: Map<number, Stretch>, service: number, { first, last, since_ms, reason }: Stretch): void {
  const known = stretches.get(service);
  stretches.set(service, {
    first: Math.min(first, known?.first ?? first),
    last: Math.max(last, known?.last ?? last),
    since_ms: Math.min(since_ms, known?.since_ms ?? since_ms),
    reason: known?.reason ?? reason,
  });
}

// How long a meter stays with a broker by way of which its oldest record is not sealed, or fewer are than come. Each broker gets the same
// time at first; where none has helped, each round takes twice as long, so that a record which no node takes costs little.

/** Where several brokers are named and a record has waited so long at one, the next one's nodes may do better. */
export const STALL_MS = 60_000;
export const STALL_MAX_MS = 300_000;
/** Pause after a node said that it is busy, and how often a connection is granted one. */
export const BUSY_PAUSE_MS = 5_000;
export const PAUSES_MAX = 3;
/** More records than this that come and are not sealed, within the time that a broker has, are a backlog that grows. */
export const BACKLOG_MAX = 24;

export class Patience {
  /** brokers left since the oldest record was sealed */
  private vain = 0;
  private pauses = 0;
  private connectedAt_ms = 0;
  /** the backlog is compared with what it was then */
  private markedAt_ms = 0;
  private marked = 0;
  private isRefused = false;

  /** `brokers` is how many there are to go to. */
  constructor(private readonly brokers: number) {}

  /** `backlog` counts all records that ever came less those that were sealed: those for which there was no room, too. */
  connected(uptime_ms: number, backlog: number): void {
    this.connectedAt_ms = uptime_ms;
    this.markedAt_ms = uptime_ms;
    this.marked = backlog;
    this.pauses = 0;
    this.isRefused = false;
  }

  /** How long to pause for nodes that are busy: no connection is granted many. `fraction` is from 0 up to but not including 1. */
  pause_ms(fraction: number): number {
    if (this.pauses === PAUSES_MAX) return 0;
    this.pauses += 1;
    return Math.ceil(BUSY_PAUSE_MS * (0.5 + fraction));
  }

  /** Another node is asked at once, unless each has been. */
  refused(): void {
    this.isRefused = this.brokers > 1 && this.vain < this.brokers;
  }

  left(): void {
    this.vain += 1;
  }

  /** The record that had waited longest is sealed. */
  rewarded(): void {
    this.vain = 0;
  }

  /** When it ends for a record that waits since `oldestSince_ms`, or has to be looked at. */
  endsAt_ms(oldestSince_ms: number): number {
    if (this.brokers === 1) return Number.POSITIVE_INFINITY;
    if (this.isRefused) return 0;
    return Math.min(Math.max(this.connectedAt_ms, oldestSince_ms), this.markedAt_ms) + this.patience_ms();
  }

  /** Why to go to another broker now; undefined where there is no reason. */
  endedBecause(uptime_ms: number, oldestSince_ms: number, backlog: number): string | undefined {
    if (this.brokers === 1) return undefined;
    if (this.isRefused) return "records are refused for their time by way of this broker";
    const patience_ms = this.patience_ms();
    if (uptime_ms >= Math.max(this.connectedAt_ms, oldestSince_ms) + patience_ms) {
      return "records are not sealed by way of this broker";
    }
    if (uptime_ms < this.markedAt_ms + patience_ms) return undefined;
    const grown = backlog - this.marked;
    this.markedAt_ms = uptime_ms;
    this.marked = backlog;
    return grown > BACKLOG_MAX ? "more records come than are sealed by way of this broker" : undefined;
  }

  private patience_ms(): number {
    return Math.min(STALL_MS * 2 ** Math.min(Math.floor(this.vain / this.brokers), 8), STALL_MAX_MS);
  }
}

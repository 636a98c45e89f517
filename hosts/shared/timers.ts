// Named timers and a monotonic clock over the SDK's, whose ticks have 32 bits.

import Time from "time";
import Timer, { type TimerId } from "timer";

/** The longest delay that the SDK's timers take; a longer one would overflow their milliseconds. */
const DELAY_MS_MAX = 1 << 30;

/** Timers by name: one that is set again replaces the earlier one. A class where closures would do, which XS keeps in RAM. */
export class NamedTimers {
  private readonly running = new Map<string, TimerId>();

  set(name: string, delay_ms: number, callback: () => void): void {
    this.clear(name);
    const fire = (): void => {
      this.running.delete(name);
      callback();
    };
    this.running.set(name, Timer.set(fire, Math.min(Math.max(0, Math.ceil(delay_ms)), DELAY_MS_MAX)));
  }

  clear(name: string): void {
    const timer = this.running.get(name);
    if (timer === undefined) return;
    this.running.delete(name);
    Timer.clear(timer);
  }
}

/** Milliseconds since it was made. Asked at least once in the 24 days in which the ticks turn over. */
export function createUptime(): () => number {
  let ticks = Time.ticks;
  let uptime_ms = 0;
  return () => {
    const now = Time.ticks;
    uptime_ms += Math.max(0, Time.delta(ticks, now));
    ticks = now;
    return uptime_ms;
  };
}

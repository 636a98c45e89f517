// When telegrams come, by the clock in them. One waits in the port's ring while the meter signs or checks a receipt: it comes late, and the
// next one may follow on time. Pure.

/** A telegram that comes later than this was not kept waiting, as the ring of a port holds nine seconds of them: the clock was set. */
const LATE_MAX_MS = 10_000;
/**
 * Of each second how much a lateness is taken for the clock's own: more than a quartz drifts, less than waiting lasts, and in a minute
 * less than a telegram may come early.
 */
const DRIFT_MS_A_S = 4;

export class Arrivals {
  /** uptime less the clock's time, of the telegram that waited least */
  private least_ms = Number.NaN;
  private seenAt_ms = 0;
  /** until then each telegram may have waited: not one that came on time is known */
  private unsureUntil_ms = 0;

  /** When a telegram with this time, that came at `uptime_ms`, would have come if it had not waited; the earliest that may be. */
  onTime_ms(time_s: number, uptime_ms: number): number {
    const offset_ms = uptime_ms - time_s * 1000;
    const expected_ms = this.least_ms + ((uptime_ms - this.seenAt_ms) / 1000) * DRIFT_MS_A_S;
    this.seenAt_ms = uptime_ms;
    if (Math.abs(offset_ms - expected_ms) <= LATE_MAX_MS) {
      this.least_ms = Math.min(offset_ms, expected_ms);
    } else {
      this.least_ms = offset_ms;
      this.unsureUntil_ms = uptime_ms + LATE_MAX_MS;
    }
    return this.least_ms + time_s * 1000 - (uptime_ms < this.unsureUntil_ms ? LATE_MAX_MS : 0);
  }
}

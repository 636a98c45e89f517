// From a reading to signed records in the outbox: what the schedule asks for, the time and its quality, confidential groups as
// disclosures, the link to the record before.

import type { TimeQuality } from "../host.js";
import type { Reading } from "../meter/reader.js";
import { sha256 } from "../wire/hash.js";
import { type Claims, digestsOf, encodeDisclosure, signRecord, sources, stripOwnRecord } from "../wire/record.js";
import { errorBitsOf } from "./doubts.js";
import type { Identity } from "./identity.js";
import type { AppendRefusal, Outbox } from "./outbox.js";
import type { DueRecord, Schedule } from "./schedule.js";

/** A meter's clock that is this close to a synchronised one is synchronised. */
export const CLOCK_DIFFERENCE_MAX_S = 30;
/** Nodes refuse a record whose time is further ahead of theirs, and its service would wait for it. */
export const CLOCK_AHEAD_MAX_S = 3_600;
const noClock: readonly string[] = ["no-clock"];
const SALT_BYTES = 16;

/** A moment by the host's clocks. */
export interface Moment {
  /** since the agent's start, monotonic */
  readonly uptime_ms: number;
  /** UTC, as far as `quality` says */
  readonly time_ms: number;
  readonly quality: TimeQuality;
}

export interface ReadingTime {
  readonly time_s: number;
  readonly quality: TimeQuality;
}

export interface Recorder {
  /** Makes, signs and stores the records that the reading gives; the refusals of the outbox, if any. */
  record(reading: Reading, now: Moment): AppendRefusal[];
}

export interface RecorderOptions {
  readonly identity: Identity;
  readonly outbox: Outbox;
  readonly schedule: Schedule;
  readonly random: (length: number) => Uint8Array;
  /** Called before a record is signed: what it states must be durable by then. */
  readonly beforeRecord: (due: DueRecord, uptime_ms: number) => void;
}

export function createRecorder({ identity, outbox, schedule, random, beforeRecord }: RecorderOptions): Recorder {
  const store = (
    due: DueRecord,
    reading: Reading,
    flags: readonly string[],
    time: ReadingTime,
  ): AppendRefusal | undefined => {
    const { seq, previous } = outbox.chain(due.service);
    const disclosures = due.confidential.map((group) => encodeDisclosure({ salt: random(SALT_BYTES), ...group }));
    const errors = errorBitsOf(flags);
    const claims: Claims = {
      service: due.service,
      serviceId: due.serviceId,
      seq,
      previous,
      ...time,
      ...(due.clear.length > 0 && { registers: due.clear }),
      ...(disclosures.length > 0 && { digests: digestsOf(disclosures) }),
      source: sources[reading.protocol],
      frameHash: sha256(reading.frame),
      reason: due.reason,
      ...(errors !== undefined && { errors }),
    };
    const record = signRecord(claims, disclosures, identity.signer, identity.kid);
    return outbox.append(due.service, seq, record, sha256(stripOwnRecord(record)));
  };

  return {
    record(reading, now) {
      const time = readingTime(reading.time_s, now);
      const flags = isAhead(reading.time_s, now) ? reading.flags.concat(noClock) : reading.flags;
      const known_s = time.quality === 3 ? undefined : time.time_s;
      const refusals: AppendRefusal[] = [];
      for (const due of schedule.due(reading.registers, known_s, now.uptime_ms)) {
        beforeRecord(due, now.uptime_ms);
        const refusal = store(due, reading, flags, time);
        if (refusal !== undefined) refusals.push(refusal);
      }
      return refusals;
    },
  };
}

/**
 * The time that a record claims. The meter's own clock comes first, as informative, unless the host's clock is synchronised and confirms
 * it, or shows it far ahead. Without either, seconds since the start: relative (3).
 */
export function readingTime(meterTime_s: number | undefined, now: Moment): ReadingTime {
  const hostTime_s = Math.floor(now.time_ms / 1000);
  if (meterTime_s !== undefined && !isAhead(meterTime_s, now)) {
    const confirmed = now.quality === 2 && Math.abs(meterTime_s - hostTime_s) <= CLOCK_DIFFERENCE_MAX_S;
    return { time_s: meterTime_s, quality: confirmed ? 2 : 1 };
  }
  if (now.quality === 1 || now.quality === 2) return { time_s: hostTime_s, quality: now.quality };
  return { time_s: Math.floor(now.uptime_ms / 1000), quality: 3 };
}

/** Whether the meter's own clock is so far ahead of a synchronised one that no node would take the record. */
function isAhead(meterTime_s: number | undefined, { quality, time_ms }: Moment): boolean {
  return quality === 2 && meterTime_s !== undefined && meterTime_s - time_ms / 1000 > CLOCK_AHEAD_MAX_S;
}

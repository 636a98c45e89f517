// The D0 port of a meter, optical head or current loop (IEC 62056-21, modes A to E): readouts in, readings out, and the requests that
// draw them where the meter does not push. The block check character comes first: nothing is parsed from a block where it is wrong.

import { centralEuropeanOffset_s } from "../p1/time.js";
import { profileOf } from "../profiles.js";
import type { MeterReader, Outcome } from "../reader.js";
import { createTally } from "../tally.js";
import { createD0Framer, type D0Cut, type D0Frame } from "./frame.js";
import { createD0Handshake, type D0Request } from "./handshake.js";
import { lacksCrc, parseReadout } from "./parse.js";

/** What differs between D0 meters. */
export interface D0Options {
  /** How often to ask; absent where the meter pushes (mode D). */
  readonly request?: D0Request;
  /** Takes a stream for data blocks alone, without identification and STX, as some logs are; such a readout is flagged `headless`. */
  readonly headless?: boolean;
  /** What the winter time of the meter's zone is ahead of UTC; 3600 by default. */
  readonly zoneOffset_s?: number;
  /** True refuses every readout without block check character or CRC. */
  readonly requireCrc?: boolean;
  /** A meter type of profiles.ts, for its quirks. */
  readonly profile?: string;
}

/** At 300 baud a byte takes 33 ms: after this pause no check character comes any more, and a push is known to have none. */
const pause_ms = 1500;

/** A streaming reader with one buffer of up to 16 kB. Throws a RangeError for an unknown profile or a wrong address. */
export function createD0Reader(options: D0Options = {}): MeterReader {
  const { headless = false, requireCrc = false, zoneOffset_s = centralEuropeanOffset_s } = options;
  const profile = options.profile === undefined ? undefined : profileOf(options.profile);
  const handshake = options.request === undefined ? undefined : createD0Handshake(options.request);
  const framer = createD0Framer(headless);
  const tally = createTally("d0");
  let last_ms = 0;

  const outcomeOfFrame = (frame: D0Frame): Outcome => {
    if (!frame.checked && (requireCrc || lacksCrc(frame))) {
      return tally.refuse("crc", "the readout carries neither block check character nor CRC");
    }
    const { objects, unknownObjects, ...reading } = parseReadout(frame, zoneOffset_s, profile);
    if (objects === 0) return tally.refuse("malformed", "it has no data set");
    tally.read(unknownObjects);
    return { ok: true, protocol: "d0", ...reading, frame: frame.bytes };
  };

  const outcomesOf = (cuts: readonly D0Cut[], uptime_ms: number): Outcome[] => {
    const outcomes: Outcome[] = [];
    for (const cut of cuts) {
      if (cut.kind === "identified") {
        handshake?.identified(cut.identification, uptime_ms);
        continue;
      }
      handshake?.finished();
      outcomes.push(cut.kind === "frame" ? outcomeOfFrame(cut) : tally.refuse(cut.reason, cut.detail));
    }
    return outcomes;
  };

  return {
    toSend: (uptime_ms) => handshake?.toSend(uptime_ms) ?? [],
    wakeAt_ms() {
      const pause_end_ms = framer.ending ? last_ms + pause_ms + 1 : Number.POSITIVE_INFINITY;
      return Math.min(pause_end_ms, handshake?.wakeAt_ms() ?? pause_end_ms);
    },
    push(bytes, uptime_ms) {
      const outcomes: Outcome[] = [];
      // Bytes that come late, because the host was busy, may still be the check character: only an empty push tells a pause.
      if (bytes.length === 0 && framer.ending && uptime_ms - last_ms > pause_ms) {
        outcomes.push(...outcomesOf(framer.end(), uptime_ms));
      }
      if (bytes.length > 0) {
        last_ms = uptime_ms;
        handshake?.heard(uptime_ms);
      }
      outcomes.push(...outcomesOf(framer.push(bytes), uptime_ms));
      const silence = handshake?.expired(uptime_ms);
      if (silence !== undefined) {
        const pending = outcomesOf(framer.end(), uptime_ms);
        outcomes.push(...pending);
        if (pending.length === 0) outcomes.push(tally.refuse("silent", silence));
      }
      return outcomes;
    },
    end: () => outcomesOf(framer.end(), last_ms),
    get counters() {
      return tally.counters(framer.noiseBytes);
    },
  };
}

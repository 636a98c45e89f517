// The P1 port of a smart meter: telegrams in, readings out (DSMR P1 2.2 to 5.0.2, ESMR, Fluvius, EON Hungary, IEC 62056-21 mode D push).
// The CRC comes first: nothing is parsed from a telegram whose CRC is wrong. A telegram of a version without CRC is read and
// flagged `unchecked`.

import { createP1Framer, type P1Cut } from "./p1-frame.js";
import { declaresCrc, parseTelegram } from "./p1-parse.js";
import { centralEuropeanOffset_s } from "./p1-time.js";
import type { MeterReader, Outcome, ReaderCounters, Refusal, RefusalReason } from "./reader.js";

/** What differs between P1 meters. */
export interface P1Options {
  /** What the winter time of the meter's zone is ahead of UTC: 3600 for Central Europe (default), 0 for Ireland, 7200 for Finland. */
  readonly zoneOffset_s?: number;
  /** True refuses every telegram without a CRC; by default only one whose version has a CRC. */
  readonly requireCrc?: boolean;
}

/** A streaming reader with one buffer of 8 kB. */
export function createP1Reader(options: P1Options = {}): MeterReader {
  const zoneOffset_s = options.zoneOffset_s ?? centralEuropeanOffset_s;
  const requireCrc = options.requireCrc ?? false;
  const framer = createP1Framer();
  const counters = { frames: 0, crc: 0, truncated: 0, oversized: 0, malformed: 0, unknownObjects: 0 };

  const refuse = (reason: RefusalReason, detail: string): Refusal => {
    counters[reason]++;
    return { ok: false, protocol: "p1", reason, detail };
  };

  const outcomeOf = (cut: P1Cut): Outcome => {
    if (cut.kind === "refused") return refuse(cut.reason, cut.detail);
    if (!cut.checked && (requireCrc || declaresCrc(cut))) return refuse("crc", "the telegram carries no CRC");
    const parsed = parseTelegram(cut, zoneOffset_s);
    counters.unknownObjects += parsed.unknownObjects;
    if (parsed.reading === undefined) return refuse("malformed", parsed.detail);
    counters.frames++;
    return parsed.reading;
  };

  return {
    push: (bytes) => framer.push(bytes).map(outcomeOf),
    end: () => framer.end().map(outcomeOf),
    get counters(): ReaderCounters {
      return { ...counters, noiseBytes: framer.noiseBytes };
    },
  };
}

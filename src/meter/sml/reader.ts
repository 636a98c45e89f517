// The optical port of a German meter: SML files in, readings out (SML 1.04; FNN Lastenheft EDL and basic meter). The transport's CRC
// comes first: nothing is parsed from a file whose CRC is wrong.

import { onlyListens } from "../port-action.js";
import { profileOf } from "../profiles.js";
import type { MeterReader, Outcome } from "../reader.js";
import { createTally } from "../tally.js";
import { createSmlFramer, type SmlCut } from "./frame.js";
import { parseSmlFile } from "./list.js";

/** What differs between SML meters. */
export interface SmlOptions {
  /** A meter type of profiles.ts, for its quirks. */
  readonly profile?: string;
}

/** A streaming reader with one buffer of 4 kB. Throws a RangeError for an unknown profile. */
export function createSmlReader(options: SmlOptions = {}): MeterReader {
  const profile = options.profile === undefined ? undefined : profileOf(options.profile);
  const framer = createSmlFramer(profile?.kermitCrc ?? false);
  const tally = createTally("sml");

  const outcomeOf = (cut: SmlCut): Outcome => {
    if (cut.kind === "refused") return tally.refuse(cut.reason, cut.detail);
    const parsed = parseSmlFile(cut.file, profile);
    if (parsed.kind === "refused") return tally.refuse(parsed.reason, parsed.detail);
    tally.read(parsed.unknownObjects);
    const { meter, time_s, registers, flags } = parsed;
    return { ok: true, protocol: "sml", meter, time_s, registers, flags, frame: cut.bytes };
  };

  return {
    ...onlyListens,
    push: (bytes) => framer.push(bytes).map(outcomeOf),
    end: () => framer.end().map(outcomeOf),
    get counters() {
      return tally.counters(framer.noiseBytes);
    },
  };
}

// The input of a meter whose protocol nobody named: looks for it, reads it once it was found, remembers it for the next start, and looks
// again where nothing comes any more.

import type { KeyValue } from "../host.js";
import { createDetector, type Detection, type Detector, optionsFor } from "../meter/detect.js";
import { type Line, sameLine } from "../meter/line.js";
import type { ReaderOptions } from "../meter/open-reader.js";
import { createReader } from "../meter/open-reader.js";
import { type MeterReader, type Outcome, type Protocol, protocols, type ReadingDemand } from "../meter/reader.js";
import { noCounts } from "../meter/tally.js";
import { decodeCbor, encodeCbor } from "../wire/cbor.js";
import { act, type MeterInput, type PortEffect } from "./meter-input.js";

/** What was found, or remembered of an earlier start. */
interface Finding {
  readonly protocol: Protocol;
  readonly line: Line;
  readonly asks: boolean;
}

/** What is at the port. */
type Place =
  | { readonly kind: "searching"; readonly detector: Detector }
  | { readonly kind: "reading"; readonly reader: MeterReader; readonly patience_ms: number; readonly heard_ms: number };

/** What is remembered is looked for anew where it is not heard for so long, and where a meter that was heard is silent for so long. */
const UNHEARD_MS_MAX = 120_000;
const SILENT_MS_MAX = 600_000;
const KEY = "line";
/** Begins with what was found before, else with the search. */
export function searchMeter(options: ReaderOptions, demand: ReadingDemand | undefined, keyValue: KeyValue): MeterInput {
  const remembered = recall(keyValue.get(KEY));
  const search = (): Place & { readonly kind: "searching" } => ({
    kind: "searching",
    detector: createDetector(options),
  });
  const readerOf = ({ protocol, asks }: Finding): MeterReader =>
    createReader(protocol, { ...optionsFor(protocol, asks, options), demand });
  const first = search();
  let place: Place =
    remembered === undefined
      ? first
      : { kind: "reading", reader: readerOf(remembered), patience_ms: UNHEARD_MS_MAX, heard_ms: 0 };
  const opened = remembered?.line ?? first.detector.line;
  let line = opened;

  const set = (next: Line, effects: PortEffect[]): void => {
    if (sameLine(line, next)) return;
    line = next;
    effects.push({ kind: "setLine", line });
  };

  const pushToDetector = (detector: Detector, bytes: Uint8Array, uptime_ms: number, effects: PortEffect[]): void => {
    const detection = detector.push(bytes, uptime_ms);
    if (detection.kind === "found") {
      const { protocol, line: found, asks } = detection;
      effects.push(say(`meter found: ${describe(detection)}${asks ? ", asked" : ""}`));
      remember(keyValue, { protocol, line: found, asks });
      place = { kind: "reading", reader: readerOf(detection), patience_ms: SILENT_MS_MAX, heard_ms: uptime_ms };
      set(found, effects);
      return;
    }
    if (detection.kind !== "waiting") set(detection.line, effects);
    if (detection.kind === "nothing") {
      effects.push(say(`no protocol found at the port${hintOf(detection)}: looking again`));
    }
    line = act(detector, line, uptime_ms, effects);
  };

  const pushToReader = (
    { reader, patience_ms, heard_ms }: Place & { readonly kind: "reading" },
    bytes: Uint8Array,
    uptime_ms: number,
    effects: PortEffect[],
  ): Outcome[] => {
    const outcomes = reader.push(bytes, uptime_ms);
    line = act(reader, line, uptime_ms, effects);
    if (outcomes.some(({ ok }) => ok)) {
      place = { kind: "reading", reader, patience_ms: SILENT_MS_MAX, heard_ms: uptime_ms };
    } else if (uptime_ms - heard_ms > patience_ms) {
      effects.push(say("the meter is silent: looking for another one"));
      const next = search();
      place = next;
      set(next.detector.line, effects);
    }
    return outcomes;
  };

  return {
    line: opened,
    interval_ms: 60_000,
    beforeRecord() {},
    wakeAt_ms: () => (place.kind === "searching" ? place.detector : place.reader).wakeAt_ms(),
    push(bytes, uptime_ms, effects) {
      if (place.kind === "reading") return pushToReader(place, bytes, uptime_ms, effects);
      pushToDetector(place.detector, bytes, uptime_ms, effects);
      return [];
    },
    get counters() {
      return place.kind === "reading" ? place.reader.counters : noCounts;
    },
  };
}

function say(message: string): PortEffect {
  return { kind: "log", level: "info", message };
}

function hintOf({ best, unsupported }: Detection & { readonly kind: "nothing" }): string {
  if (unsupported !== undefined) return `; ${unsupported}`;
  return best === undefined ? "" : `; it may be ${best}, with broken frames`;
}

function describe({ protocol, line }: Finding): string {
  return `${protocol} at ${line.baud} ${line.dataBits}${line.parity === "even" ? "E" : "N"}1`;
}

/** Written only where it changed: what is found is the same at every start. */
function remember(keyValue: KeyValue, { protocol, line, asks }: Finding): void {
  const value = encodeCbor([protocol, line.baud, line.dataBits, line.parity, asks]);
  const stored = keyValue.get(KEY);
  if (stored?.length === value.length && stored.every((byte, index) => byte === value[index])) return;
  keyValue.set(KEY, value);
}

/** Undefined where nothing is stored, or it does not read: then it is looked for. */
function recall(value: Uint8Array | undefined): Finding | undefined {
  if (value === undefined) return undefined;
  try {
    const [protocol, baud, dataBits, parity, asks] = decodeCbor(value) as readonly unknown[];
    if (!protocols.includes(protocol as Protocol) || protocol === "pulse" || !Number.isSafeInteger(baud))
      return undefined;
    if ((dataBits !== 7 && dataBits !== 8) || (parity !== "none" && parity !== "even")) return undefined;
    return { protocol: protocol as Protocol, line: { baud: baud as number, dataBits, parity }, asks: asks === true };
  } catch {
    return undefined;
  }
}

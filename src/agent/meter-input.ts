// What the agent has at the meter's port, whatever the meter speaks: bytes in, outcomes out, and what is to be done at the port.

import type { Line } from "../meter/line.js";
import type { PortWork } from "../meter/port-action.js";
import type { MeterReader, Outcome, ReaderCounters } from "../meter/reader.js";
import type { DueRecord } from "./schedule.js";

export type PortEffect =
  | { readonly kind: "writeMeter"; readonly bytes: Uint8Array }
  /** once what was written before has left the port */
  | { readonly kind: "setLine"; readonly line: Line }
  | { readonly kind: "log"; readonly level: "info" | "warn"; readonly message: string };

export interface MeterInput {
  /** what the port is to be opened with */
  readonly line: Line;
  /** Takes what came, or nothing, to let time pass; what is to be done at the port goes to `effects`. */
  push(bytes: Uint8Array, uptime_ms: number, effects: PortEffect[]): Outcome[];
  /** when it wants an empty push; infinity where bytes alone move it */
  wakeAt_ms(): number;
  /** To be called before a record is signed: what the record states must be durable by then. */
  beforeRecord(due: DueRecord, uptime_ms: number): void;
  /** between two frames of a meter that is asked; 0 where it pushes */
  readonly interval_ms: number;
  readonly counters: ReaderCounters;
}

/** The input of a meter whose protocol is known. */
export function createMeterInput(reader: MeterReader, opened: Line, interval_ms: number): MeterInput {
  let line = opened;
  return {
    line,
    interval_ms,
    wakeAt_ms: () => reader.wakeAt_ms(),
    beforeRecord() {},
    push(bytes, uptime_ms, effects) {
      const outcomes = reader.push(bytes, uptime_ms);
      line = act(reader, line, uptime_ms, effects);
      return outcomes;
    },
    get counters() {
      return reader.counters;
    },
  };
}

/** Asks what is to be done at a port whose line is `line`; the line that it has then. */
export function act(reader: PortWork, line: Line, uptime_ms: number, effects: PortEffect[]): Line {
  let now = line;
  for (const action of reader.toSend(uptime_ms)) {
    if (action.kind === "send") effects.push({ kind: "writeMeter", bytes: action.bytes });
    else if (action.baud !== now.baud) {
      now = { ...now, baud: action.baud };
      effects.push({ kind: "setLine", line: now });
    }
  }
  return now;
}

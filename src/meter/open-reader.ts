// The reader of each protocol, and what all of them have in common: a reading is judged by the one before it, and a frame that states
// no register is refused.

import { createD0Reader, type D0Options } from "./d0/reader.js";
import { type BareOptions, createBareReader } from "./dlms/bare.js";
import { createHdlcReader } from "./dlms/reader.js";
import { listDoubts } from "./doubt-list.js";
import { createMbusReader, type MbusOptions } from "./mbus/reader.js";
import { createModbusReader, type ModbusOptions } from "./modbus/reader.js";
import { createP1Reader, type P1Options } from "./p1/reader.js";
import { type Baseline, weigh } from "./plausibility.js";
import type { PortAction } from "./port-action.js";
import { createPulseReader, type PulseOptions } from "./pulse.js";
import type { MeterReader, Outcome, Protocol, ReaderCounters } from "./reader.js";
import { createSmlReader, type SmlOptions } from "./sml/reader.js";
import { createTicReader, type TicOptions } from "./tic/reader.js";

/** What differs between meters: the options of their protocols. */
export interface ReaderOptions
  extends P1Options,
    SmlOptions,
    D0Options,
    BareOptions,
    MbusOptions,
    PulseOptions,
    ModbusOptions,
    TicOptions {
  /** The largest power that the connection can carry; an energy register that grew by more is flagged. */
  readonly powerMax_W?: number;
}

/**
 * The reader for a protocol. Every reading is compared with the one before it and flagged where that is implausible; a frame that states
 * no register is refused. Throws a RangeError for options that cannot be: an unknown profile, a key of another length, a protocol that the
 * build has not.
 */
export function createReader(protocol: Protocol, options: ReaderOptions = {}): MeterReader {
  const create = readers[protocol];
  if (create === undefined) throw new RangeError(`protocol ${protocol} was left out of this build`);
  return new JudgingReader(create(options), options.powerMax_W);
}

/** Whether the build has a reader of the protocol: a manifest may leave some out. */
export function hasReader(protocol: Protocol): boolean {
  return readers[protocol] !== undefined;
}

/** A class where closures would do: XS keeps a method once, in ROM, but a closure with all that it uses in RAM. */
class JudgingReader implements MeterReader {
  private readonly reader: MeterReader;
  private readonly powerMax_W: number | undefined;
  private baseline: Baseline | undefined = undefined;
  /** Frames that the reader took, and which state no register. */
  private emptyFrames = 0;

  constructor(reader: MeterReader, powerMax_W: number | undefined) {
    this.reader = reader;
    this.powerMax_W = powerMax_W;
  }

  push(bytes: Uint8Array, uptime_ms: number): Outcome[] {
    return this.weighed(this.reader.push(bytes, uptime_ms), uptime_ms);
  }

  end(): Outcome[] {
    return this.weighed(this.reader.end(), undefined);
  }

  toSend(uptime_ms: number): readonly PortAction[] {
    return this.reader.toSend(uptime_ms);
  }

  wakeAt_ms(): number {
    return this.reader.wakeAt_ms();
  }

  get counters(): ReaderCounters {
    const { counters } = this.reader;
    const { emptyFrames } = this;
    return { ...counters, frames: counters.frames - emptyFrames, malformed: counters.malformed + emptyFrames };
  }

  /** In place: most pushes complete nothing. */
  private weighed(outcomes: Outcome[], uptime_ms: number | undefined): Outcome[] {
    for (let index = 0; index < outcomes.length; index++) outcomes[index] = this.weigh(outcomes[index]!, uptime_ms);
    return outcomes;
  }

  private weigh(outcome: Outcome, uptime_ms: number | undefined): Outcome {
    if (!outcome.ok) return outcome;
    if (outcome.registers.length === 0) {
      this.emptyFrames++;
      const doubts = outcome.flags.length === 0 ? "" : `: ${outcome.flags.join(", ")}`;
      return { ok: false, protocol: outcome.protocol, reason: "malformed", detail: `it states no register${doubts}` };
    }
    const weighed = weigh(this.baseline, outcome, uptime_ms, this.powerMax_W);
    this.baseline = weighed.baseline;
    if (weighed.flags.length === 0) return outcome;
    return { ...outcome, flags: listDoubts([...outcome.flags, ...weighed.flags]) };
  }
}

/** Of a protocol that the build leaves out, undefined stands here. */
const readers: Readonly<Record<Protocol, ((options: ReaderOptions) => MeterReader) | undefined>> = {
  p1: createP1Reader,
  sml: createSmlReader,
  hdlc: createHdlcReader,
  mbus: createMbusReader,
  d0: createD0Reader,
  pulse: createPulseReader,
  modbus: createModbusReader,
  tic: createTicReader,
  push: createBareReader,
};

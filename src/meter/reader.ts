// What every meter protocol offers: bytes in, outcomes out. A reading's values exist only once its frame has been checked.

import { createD0Reader, type D0Options } from "./d0.js";
import { createHdlcReader, createMbusReader, type DlmsOptions } from "./dlms.js";
import { listDoubts } from "./doubt-list.js";
import { createModbusReader, type ModbusOptions } from "./modbus.js";
import { createP1Reader, type P1Options } from "./p1.js";
import { type Baseline, judge } from "./plausibility.js";
import type { PortAction, PortWork } from "./port-action.js";
import { createPulseReader, type PulseOptions } from "./pulse.js";
import type { Register } from "./register.js";
import { createSmlReader, type SmlOptions } from "./sml.js";

/** The protocols there is a reader for. */
export const protocols = ["p1", "sml", "hdlc", "mbus", "d0", "pulse", "modbus"] as const;

export type Protocol = (typeof protocols)[number];

/**
 * Why a frame was refused; each is counted by this name. `unsupported`: it is whole, of a protocol that is known but not read;
 * `locked`: it is encrypted and a key is missing; `decryption`: its tag is wrong; `replayed`: its counter is not above that of the frame
 * before; `silent`: the meter was asked and did not answer.
 */
export type RefusalReason =
  | "crc"
  | "truncated"
  | "oversized"
  | "malformed"
  | "unsupported"
  | "locked"
  | "decryption"
  | "replayed"
  | "silent";

/** What one good frame states. */
export interface Reading {
  readonly ok: true;
  readonly protocol: Protocol;
  /** The meter's own identification. */
  readonly meter: string;
  /** UTC seconds by the meter's clock; undefined where the meter states none. */
  readonly time_s: number | undefined;
  /** In the order of the frame. */
  readonly registers: readonly Register[];
  /**
   * Doubts, as `kind` or `kind obis`; a doubt never removes a value. The kinds are listed in plausibility.ts, in cipher.ts and at the
   * head of each protocol's parser. doubt-list.ts has their order and number.
   */
  readonly flags: readonly string[];
  /** The bytes of the frame as received, for their hash. */
  readonly frame: Uint8Array;
}

/** A frame from which no value was taken. */
export interface Refusal {
  readonly ok: false;
  readonly protocol: Protocol;
  readonly reason: RefusalReason;
  readonly detail: string;
}

export type Outcome = Reading | Refusal;

/** Counts since the reader was made. */
export interface ReaderCounters {
  readonly frames: number;
  readonly crc: number;
  readonly truncated: number;
  readonly oversized: number;
  readonly malformed: number;
  readonly unsupported: number;
  readonly locked: number;
  readonly decryption: number;
  readonly replayed: number;
  readonly silent: number;
  /** Objects of good frames that no rule of the reader knows. */
  readonly unknownObjects: number;
  /** Bytes between frames. */
  readonly noiseBytes: number;
}

/** A streaming reader of one meter's port. It never throws on input, and its memory is bounded whatever the port delivers. */
export interface MeterReader extends PortWork {
  /**
   * Takes the bytes that arrived at `uptime_ms` and returns the outcome of every frame that they complete, in order. No bytes at all
   * let time pass: at `wakeAt_ms` that shows a silent meter, or completes what had no end.
   */
  push(bytes: Uint8Array, uptime_ms: number): Outcome[];
  /** The source has ended (a file, a closed connection): what is incomplete becomes a refusal, and the reader starts anew. */
  end(): Outcome[];
  readonly counters: ReaderCounters;
}

/** What differs between meters: the options of their protocols. */
export interface ReaderOptions extends P1Options, SmlOptions, D0Options, DlmsOptions, PulseOptions, ModbusOptions {
  /** The largest power that the connection can carry; an energy register that grew by more is flagged. */
  readonly powerMax_W?: number;
}

/**
 * The reader for a protocol. Every reading is compared with the one before it and flagged where that is implausible; a frame that states
 * no register is refused. Throws a RangeError for options that cannot be: an unknown profile, a key of another length.
 */
export function createReader(protocol: Protocol, options: ReaderOptions = {}): MeterReader {
  return new JudgingReader(readers[protocol](options), options.powerMax_W);
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
    return this.judged(this.reader.push(bytes, uptime_ms), uptime_ms);
  }

  end(): Outcome[] {
    return this.judged(this.reader.end(), undefined);
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
  private judged(outcomes: Outcome[], uptime_ms: number | undefined): Outcome[] {
    for (let index = 0; index < outcomes.length; index++) outcomes[index] = this.judge(outcomes[index]!, uptime_ms);
    return outcomes;
  }

  private judge(outcome: Outcome, uptime_ms: number | undefined): Outcome {
    if (!outcome.ok) return outcome;
    if (outcome.registers.length === 0) {
      this.emptyFrames++;
      const doubts = outcome.flags.length === 0 ? "" : `: ${outcome.flags.join(", ")}`;
      return { ok: false, protocol: outcome.protocol, reason: "malformed", detail: `it states no register${doubts}` };
    }
    const judgement = judge(this.baseline, outcome, uptime_ms, this.powerMax_W);
    this.baseline = judgement.baseline;
    if (judgement.flags.length === 0) return outcome;
    return { ...outcome, flags: listDoubts([...outcome.flags, ...judgement.flags]) };
  }
}

const readers: Readonly<Record<Protocol, (options: ReaderOptions) => MeterReader>> = {
  p1: createP1Reader,
  sml: createSmlReader,
  hdlc: createHdlcReader,
  mbus: createMbusReader,
  d0: createD0Reader,
  pulse: createPulseReader,
  modbus: createModbusReader,
};

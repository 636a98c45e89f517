// What every meter protocol offers: bytes in, outcomes out. A reading's values exist only once its frame has been checked.

import { createD0Reader, type D0Options } from "./d0.js";
import { createHdlcReader, createMbusReader, type DlmsOptions } from "./dlms.js";
import { createModbusReader, type ModbusOptions } from "./modbus.js";
import { createP1Reader, type P1Options } from "./p1.js";
import { type Baseline, judge } from "./plausibility.js";
import type { PortWork } from "./port-action.js";
import { createPulseReader, type PulseOptions } from "./pulse.js";
import type { Register } from "./register.js";
import { createSmlReader, type SmlOptions } from "./sml.js";

/** The protocols there is a reader for. */
export const protocols = ["p1", "sml", "hdlc", "mbus", "d0", "pulse", "modbus"] as const;

export type Protocol = (typeof protocols)[number];

/**
 * Why a frame was refused; each is counted by this name. `locked`: it is encrypted and a key is missing; `decryption`: its tag is
 * wrong; `replayed`: its counter is not above that of the frame before; `silent`: the meter was asked and did not answer.
 */
export type RefusalReason =
  | "crc"
  | "truncated"
  | "oversized"
  | "malformed"
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
   * head of each protocol's parser.
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
 * The reader for a protocol; every reading is compared with the one before it and flagged where that is implausible. Throws a
 * RangeError for options that cannot be: an unknown profile, a key of another length.
 */
export function createReader(protocol: Protocol, options: ReaderOptions = {}): MeterReader {
  const reader = readers[protocol](options);
  let baseline: Baseline | undefined;
  const judged = (outcome: Outcome, uptime_ms: number | undefined): Outcome => {
    if (!outcome.ok) return outcome;
    const judgement = judge(baseline, outcome, uptime_ms, options.powerMax_W);
    baseline = judgement.baseline;
    return judgement.flags.length === 0 ? outcome : { ...outcome, flags: [...outcome.flags, ...judgement.flags] };
  };
  return {
    push(bytes, uptime_ms) {
      const outcomes = reader.push(bytes, uptime_ms);
      for (let index = 0; index < outcomes.length; index++) outcomes[index] = judged(outcomes[index]!, uptime_ms);
      return outcomes;
    },
    end: () => reader.end().map((outcome) => judged(outcome, undefined)),
    toSend: (uptime_ms) => reader.toSend(uptime_ms),
    wakeAt_ms: () => reader.wakeAt_ms(),
    get counters() {
      return reader.counters;
    },
  };
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

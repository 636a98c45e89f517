// What every meter protocol offers: bytes in, outcomes out. A reading's values exist only once its frame has been checked.

import type { PortWork } from "./port-action.js";
import type { Register } from "./register.js";

/** The protocols there is a reader for. */
export const protocols = ["p1", "sml", "hdlc", "mbus", "d0", "pulse", "modbus", "tic", "push"] as const;

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

/**
 * Whether anybody looks at readings: taking the values out of a frame costs more than all else that is done for it. A reader that can
 * tells of a good frame and leaves it unread; others read each.
 */
export interface ReadingDemand {
  /** Whether a frame that is complete at `uptime_ms` is to be read. */
  isWanted(uptime_ms: number): boolean;
  /** A frame is good, its checksum is right, and nobody wanted it read. */
  passed(uptime_ms: number): void;
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

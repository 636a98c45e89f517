// Finds out what a port speaks, and how: tries line settings in turn, lets every protocol read what comes, and scores what they read.
// Pure: bytes and time in, the settings to try or the finding out.

import { historicLine, type Line, requestLine, usualLines } from "./line.js";
import { askedMap } from "./modbus/reader.js";
import type { ReaderOptions } from "./open-reader.js";
import { createReader, hasReader } from "./open-reader.js";
import type { PortWork } from "./port-action.js";
import type { MeterReader, Outcome, Protocol, Reading, Refusal } from "./reader.js";

export type Detection =
  /** Set the line to this and go on. */
  | { readonly kind: "try"; readonly line: Line }
  | { readonly kind: "waiting" }
  /** `asks`: the meter had to be asked. */
  | { readonly kind: "found"; readonly protocol: Protocol; readonly line: Line; readonly asks: boolean }
  /**
   * All settings were tried in vain: they are tried again. `best` is what read something, if only broken frames; `unsupported` what whole
   * frames were of, if no reader reads them.
   */
  | {
      readonly kind: "nothing";
      readonly best: Protocol | undefined;
      readonly unsupported: string | undefined;
      readonly line: Line;
    };

export interface Detector extends PortWork {
  /** What to do at the start: the first line to try. */
  readonly line: Line;
  /** Takes what came, or nothing, to let time pass. */
  push(bytes: Uint8Array, uptime_ms: number): Detection;
}

/** How well a protocol explains bytes; 0 not at all. */
export interface Score {
  readonly protocol: Protocol;
  readonly score: number;
  /** Frames were whole, be they encrypted or none that is understood: this is no guess from broken ones. */
  readonly sure: boolean;
}

/** A setting, what can be heard with it, and how long to listen: messages come every ten seconds at most, but for hourly lists. */
interface Try {
  readonly line: Line;
  readonly protocols: readonly Protocol[];
  readonly dwell_ms: number;
  /** The meter has to be asked. */
  readonly asks?: true;
}

/** The likelier first. */
const tries: readonly Try[] = [
  { line: usualLines.p1, protocols: ["p1", "hdlc"], dwell_ms: 12_000 },
  { line: usualLines.sml, protocols: ["sml", "hdlc", "modbus", "push"], dwell_ms: 6000 },
  { line: { ...usualLines.hdlc, parity: "none" }, protocols: ["hdlc", "mbus"], dwell_ms: 12_000 },
  { line: usualLines.mbus, protocols: ["hdlc", "mbus"], dwell_ms: 12_000 },
  { line: { ...usualLines.mbus, baud: 9600 }, protocols: ["mbus"], dwell_ms: 4000 },
  { line: usualLines.d0, protocols: ["p1", "d0", "tic"], dwell_ms: 12_000 },
  { line: { ...usualLines.d0, baud: 2400 }, protocols: ["d0"], dwell_ms: 12_000 },
  { line: historicLine, protocols: ["tic"], dwell_ms: 8000 },
  { line: usualLines.modbus, protocols: ["modbus"], dwell_ms: 15_000, asks: true },
  { line: usualLines.mbus, protocols: ["mbus"], dwell_ms: 8000, asks: true },
  { line: requestLine, protocols: ["d0"], dwell_ms: 60_000, asks: true },
];

/** What can be told from bytes alone; an S0 output has none. The earlier wins a tie. */
const candidates: readonly Protocol[] = ["p1", "sml", "hdlc", "mbus", "tic", "push", "d0", "modbus"];

/** How often a meter is asked while it is looked for. */
const modbus_interval_ms = 2000;
const mbus_interval_ms = 20_000;
const request_interval_ms = 30_000;

/** A single good frame reaches it. */
const certain = 40;
const stx = 0x02;

/** What one reader has read so far. */
interface Evidence {
  /** From good frames, and from encrypted ones. */
  sure: number;
  /** good frames */
  read: number;
  crc: number;
  truncated: number;
  malformed: number;
  /** What whole frames were of that no reader reads. */
  unsupported: string | undefined;
}

/**
 * A detector at its first line; `options` hold the keys, without which an encrypted port is still recognised, and how a meter that
 * has to be asked is asked.
 */
export function createDetector(options: ReaderOptions = {}): Detector {
  let turn = 0;
  let readers = readersOf(tries[0]!, options);
  let evidence = readers.map(noEvidence);
  let since_ms: number | undefined;
  let best: { readonly protocol: Protocol; readonly score: number } | undefined;
  let unsupported: string | undefined;

  const next = (uptime_ms: number): Detection => {
    turn = (turn + 1) % tries.length;
    const { line } = tries[turn]!;
    readers = readersOf(tries[turn]!, options);
    evidence = readers.map(noEvidence);
    since_ms = uptime_ms;
    if (turn > 0) return { kind: "try", line };
    const nothing: Detection = { kind: "nothing", best: best?.protocol, unsupported, line };
    best = undefined;
    unsupported = undefined;
    return nothing;
  };

  return {
    line: tries[0]!.line,
    push(bytes, uptime_ms) {
      since_ms ??= uptime_ms;
      const { line, dwell_ms } = tries[turn]!;
      const protocols = tries[turn]!.protocols.filter(hasReader);
      let found = -1;
      for (let index = 0; index < readers.length; index++) {
        const seen = evidence[index]!;
        weigh(readers[index]!.push(bytes, uptime_ms), seen);
        unsupported = seen.unsupported ?? unsupported;
        const score = scoreOf(protocols[index]!, seen);
        if (score > (best?.score ?? 0)) best = { protocol: protocols[index]!, score };
        if (seen.sure >= certain && (found < 0 || seen.sure > evidence[found]!.sure)) found = index;
      }
      if (found >= 0) return { kind: "found", protocol: protocols[found]!, line, asks: tries[turn]!.asks ?? false };
      return uptime_ms - since_ms >= dwell_ms ? next(uptime_ms) : { kind: "waiting" };
    },
    toSend: (uptime_ms) => readers.flatMap((reader) => reader.toSend(uptime_ms)),
    wakeAt_ms() {
      const end_ms = since_ms === undefined ? 0 : since_ms + tries[turn]!.dwell_ms;
      return readers.reduce((soonest_ms, reader) => Math.min(soonest_ms, reader.wakeAt_ms()), end_ms);
    },
  };
}

/**
 * How well each protocol explains a whole capture, the best first. What is locked to P1 alone, in a capture with frames of HDLC or
 * M-Bus, good or broken, lies in one of those.
 */
export function scoreCapture(capture: Uint8Array, options: ReaderOptions = {}): readonly Score[] {
  const seen = candidates.filter(hasReader).map((protocol) => {
    const reader = createReader(protocol, options);
    const evidence = noEvidence();
    weigh(reader.push(capture, 0), evidence);
    weigh(reader.end(), evidence);
    return { protocol, evidence };
  });
  const isFramed = seen.some(({ protocol, evidence }) => isDlms(protocol) && scoreOf(protocol, evidence) > 0);
  const scores = seen.map(({ protocol, evidence }): Score => {
    const within = protocol === "p1" && isFramed && evidence.read === 0;
    return { protocol, score: within ? 0 : scoreOf(protocol, evidence), sure: !within && isSure(protocol, evidence) };
  });
  return scores.sort((left, right) => right.score - left.score);
}

function noEvidence(): Evidence {
  return { sure: 0, read: 0, crc: 0, truncated: 0, malformed: 0, unsupported: undefined };
}

function readersOf({ protocols, asks }: Try, options: ReaderOptions): MeterReader[] {
  return protocols
    .filter(hasReader)
    .map((protocol) =>
      createReader(protocol, asks ? whileLooking(protocol, options) : optionsFor(protocol, false, options)),
    );
}

/**
 * What the reader of a protocol that was found is made with: a meter that had to be asked is asked as the options say, else a D0 meter
 * and an M-Bus meter, whatever its address, once a minute, and a Modbus meter at the first address every ten seconds, after it was asked
 * what it is; another one is not asked.
 */
export function optionsFor(protocol: Protocol, asks: boolean, options: ReaderOptions): ReaderOptions {
  const { request, modbus, mbus, ...others } = options;
  const map = options.profile === undefined ? { map: askedMap } : {};
  if (!asks) return others;
  if (protocol === "mbus") return { ...others, mbus: { interval_ms: 60_000, ...mbus } };
  if (protocol === "d0") return { ...others, request: { interval_ms: 60_000, ...request } };
  return { ...others, modbus: { address: 1, interval_ms: 10_000, ...map, ...modbus } };
}

function whileLooking(protocol: Protocol, options: ReaderOptions): ReaderOptions {
  const asked = optionsFor(protocol, true, options);
  return {
    ...asked,
    ...(asked.request !== undefined && { request: { ...asked.request, interval_ms: request_interval_ms } }),
    ...(asked.mbus !== undefined && { mbus: { ...asked.mbus, interval_ms: mbus_interval_ms } }),
    ...(asked.modbus !== undefined && { modbus: { ...asked.modbus, interval_ms: modbus_interval_ms } }),
  };
}

function weigh(outcomes: readonly Outcome[], evidence: Evidence): void {
  for (const outcome of outcomes) {
    if (outcome.ok) {
      evidence.sure += weightOf(outcome);
      evidence.read++;
    } else if (outcome.reason === "locked" || outcome.reason === "decryption") evidence.sure += lockedWeight(outcome);
    else if (outcome.reason === "crc") evidence.crc++;
    else if (outcome.reason === "truncated") evidence.truncated++;
    else if (outcome.reason === "malformed") evidence.malformed++;
    else if (outcome.reason === "unsupported") evidence.unsupported = outcome.detail;
  }
}

/** A frame whose check held counts most; one without registers says nothing. A P1 telegram is a D0 readout too, but not the reverse. */
function weightOf({ protocol, registers, flags, frame }: Reading): number {
  if (registers.length === 0) return 0;
  const isPush = protocol === "d0" && !frame.includes(stx);
  const base = isPush ? certain : flags.includes("unchecked") ? 60 : 100;
  return base + Math.min(registers.length, 30);
}

/** What a P1 packet is made of lies within an encrypted HDLC or M-Bus frame too: one alone is not enough. */
function lockedWeight({ protocol }: Refusal): number {
  return protocol === "p1" ? certain - 10 : certain + 20;
}

/**
 * Broken frames are a hint at most: noise makes them too, least of all where a frame's beginning is long. What is malformed in HDLC or
 * M-Bus has passed their checks.
 */
function scoreOf(protocol: Protocol, { sure, crc, truncated, malformed, unsupported }: Evidence): number {
  const beginning = protocol === "sml" || protocol === "hdlc" ? 4 : 1;
  const checked = isDlms(protocol) ? Math.min(10 * malformed + (unsupported === undefined ? 0 : 30), 30) : 0;
  return sure + checked + Math.min(5 * crc, 20) + (truncated > 0 ? beginning : 0);
}

function isSure(protocol: Protocol, { sure, malformed, unsupported }: Evidence): boolean {
  return sure > 0 || (isDlms(protocol) && (malformed > 0 || unsupported !== undefined));
}

function isDlms(protocol: Protocol): boolean {
  return protocol === "hdlc" || protocol === "mbus";
}

// Asks a D0 meter for its readout (IEC 62056-21, sections 5 and 6.3): the request at 300 baud, the meter's identification with the
// speed that it offers, our acknowledgement in modes C and E, and the change of speed. A pure state machine: time and what the meter
// said in, bytes and speeds out.

import { requestLine } from "../line.js";
import type { PortAction, PortWork } from "../port-action.js";

export interface D0Request {
  /** From the start of one readout to that of the next. */
  readonly interval_ms: number;
  /** The meter's address on a bus of several; empty asks whichever there is. */
  readonly address?: string;
}

export interface D0Handshake extends PortWork {
  /** Bytes came: the meter is not silent. */
  heard(uptime_ms: number): void;
  /** The meter's identification line, without `/`. */
  identified(identification: string, uptime_ms: number): void;
  /** A readout ended, good or bad. */
  finished(): void;
  /** Why the meter counts as silent, once it does; then the next request is due after the interval. */
  expired(uptime_ms: number): string | undefined;
}

type Phase =
  | { readonly kind: "idle" }
  | { readonly kind: "requested"; readonly since_ms: number }
  /** The answer waits for the reaction time of the meter. */
  | { readonly kind: "answering"; readonly due_ms: number; readonly actions: readonly PortAction[] }
  | { readonly kind: "reading"; readonly since_ms: number };

const addressLengthMax = 32;
/** The longest reaction time is 1.5 s; identification and request take another second at 300 baud. */
const silence_ms = 5000;
/** Noise without end is no answer either: an identification comes within this, a readout of 16 kB at 300 baud within the other. */
const identification_ms_max = 10_000;
const readout_ms_max = 600_000;
/** A meter whose third letter is lower case reacts within 20 ms, others need 200 ms. */
const reaction_ms = 200;
const shortReaction_ms = 20;
/** By the digit of modes C and E, and by the letter of mode B. */
const speeds: readonly number[] = [300, 600, 1200, 2400, 4800, 9600, 19200];

/** A handshake whose first request is due at once. Throws a RangeError for an address that the standard does not allow. */
export function createD0Handshake({ interval_ms, address = "" }: D0Request): D0Handshake {
  if (!/^[0-9A-Za-z ]*$/.test(address) || address.length > addressLengthMax) {
    throw new RangeError(
      `D0 address: expected at most ${addressLengthMax} letters, digits and spaces, got "${address}"`,
    );
  }
  const request = ascii(`/?${address}!\r\n`);
  let phase: Phase = { kind: "idle" };
  let next_ms = 0;
  let heard_ms = 0;

  return {
    toSend(uptime_ms) {
      if (phase.kind === "idle" && uptime_ms >= next_ms) {
        next_ms = uptime_ms + interval_ms;
        heard_ms = uptime_ms;
        phase = { kind: "requested", since_ms: uptime_ms };
        return [
          { kind: "speed", baud: requestLine.baud },
          { kind: "send", bytes: request },
        ];
      }
      if (phase.kind !== "answering" || uptime_ms < phase.due_ms) return [];
      const { actions } = phase;
      phase = { kind: "reading", since_ms: uptime_ms };
      return actions;
    },
    wakeAt_ms() {
      if (phase.kind === "idle") return next_ms;
      return phase.kind === "answering" ? phase.due_ms : Math.min(heard_ms + silence_ms, latestOf(phase)) + 1;
    },
    heard(uptime_ms) {
      heard_ms = uptime_ms;
    },
    identified(identification, uptime_ms) {
      if (phase.kind !== "requested") return;
      const third = identification.charAt(2);
      const wait_ms = third >= "a" && third <= "z" ? shortReaction_ms : reaction_ms;
      phase = { kind: "answering", due_ms: uptime_ms + wait_ms, actions: answerTo(identification.charAt(3)) };
    },
    finished() {
      phase = { kind: "idle" };
    },
    expired(uptime_ms) {
      if (phase.kind === "idle") return undefined;
      if (uptime_ms - heard_ms <= silence_ms && uptime_ms <= latestOf(phase)) return undefined;
      const asked = phase.kind === "requested";
      phase = { kind: "idle" };
      return asked ? "the meter did not answer the request" : "the meter identified itself, and its readout stopped";
    },
  };
}

/** Until when it may last, whatever comes. */
function latestOf(phase: Phase): number {
  if (phase.kind === "requested") return phase.since_ms + identification_ms_max;
  return phase.kind === "reading" ? phase.since_ms + readout_ms_max : Number.POSITIVE_INFINITY;
}

/** A digit is mode C or E: acknowledge, then change. A letter is mode B: change. Anything else is mode A: stay. */
function answerTo(speed: string): readonly PortAction[] {
  const digit = speed >= "0" && speed <= "9" ? Number(speed) : -1;
  if (digit >= 0) {
    // An unknown digit is answered with 300 baud, which every meter keeps.
    const known = digit < speeds.length ? digit : 0;
    return [
      { kind: "send", bytes: ascii(`\u00060${known}0\r\n`) },
      { kind: "speed", baud: speeds[known]! },
    ];
  }
  const letter = speed >= "A" && speed <= "F" ? speed.charCodeAt(0) - 0x40 : 0;
  return letter > 0 ? [{ kind: "speed", baud: speeds[letter]! }] : [];
}

function ascii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}

// The P1 port of a smart meter: telegrams in, readings out (DSMR P1 2.2 to 5.0.2, ESMR, Fluvius, EON Hungary, IEC 62056-21 mode D push),
// bare or in encrypted packets (Luxembourg). The CRC comes first: nothing is parsed from a telegram whose CRC is wrong, or that has none
// though its version or its meter has. One of a version without CRC is read and flagged `unchecked`; the flags of encryption are listed
// in cipher.ts.

import { type CipherOptions, createDecipher } from "../cipher.js";
import { onlyListens } from "../port-action.js";
import type { MeterReader, Outcome, ReadingDemand } from "../reader.js";
import { createTally } from "../tally.js";
import { createP1Framer, type P1Cut } from "./frame.js";
import { createP1Splitter, type P1Piece } from "./packet.js";
import { declaresCrc, headerLine, parseTelegram } from "./parse.js";
import { centralEuropeanOffset_s } from "./time.js";

/** What differs between P1 meters. */
export interface P1Options extends CipherOptions {
  /** What the winter time of the meter's zone is ahead of UTC: 3600 for Central Europe (default), 0 for Ireland, 7200 for Finland. */
  readonly zoneOffset_s?: number;
  /** True refuses every telegram without a CRC; by default only one whose version has a CRC. */
  readonly requireCrc?: boolean;
  /** Absent where every telegram is read. */
  readonly demand?: ReadingDemand | undefined;
}

/** The authentication key that the Luxembourg specification publishes for all its meters; the encryption key alone is secret. */
const luxembourgKey = [0, 17, 34, 51, 68, 85, 102, 119, 136, 153, 170, 187, 204, 221, 238, 255];

/** A streaming reader with one buffer of 8 kB, and one of a packet's size where they are encrypted. */
export function createP1Reader(options: P1Options = {}): MeterReader {
  const zoneOffset_s = options.zoneOffset_s ?? centralEuropeanOffset_s;
  const requireCrc = options.requireCrc ?? false;
  const { crypto, keys, demand } = options;
  const decipher = createDecipher({
    ...(crypto !== undefined && { crypto }),
    ...(keys !== undefined && { keys: { authentication: Uint8Array.from(luxembourgKey), ...keys } }),
  });
  const splitter = createP1Splitter();
  const framer = createP1Framer();
  const tally = createTally("p1");
  /** The header of the last telegram that had a CRC: a meter that sends one sends it always. */
  let checkedHeader = "";

  const outcomeOf = (cut: P1Cut, uptime_ms: number): Outcome | undefined => {
    if (cut.kind === "refused") return tally.refuse(cut.reason, cut.detail);
    // Not before the first one with a CRC was read: what it is and that its meter sends CRCs is known by then.
    if (cut.checked && checkedHeader !== "" && demand?.isWanted(uptime_ms) === false) {
      tally.read(0);
      demand.passed(uptime_ms);
      return undefined;
    }
    const header = headerLine(cut);
    if (cut.checked) checkedHeader = header;
    else if (requireCrc || header === checkedHeader || declaresCrc(cut)) {
      return tally.refuse("crc", "the telegram carries no CRC");
    }
    const parsed = parseTelegram(cut, zoneOffset_s);
    if (parsed.reading === undefined) return tally.refuse("malformed", parsed.detail);
    tally.read(parsed.unknownObjects);
    return parsed.reading;
  };

  const readAll = (cuts: readonly P1Cut[], uptime_ms: number, outcomes: Outcome[]): void => {
    for (const cut of cuts) {
      const outcome = outcomeOf(cut, uptime_ms);
      if (outcome !== undefined) outcomes.push(outcome);
    }
  };

  /** A packet holds one telegram; its hash is over the bytes on the wire. */
  const readPacket = (packet: Uint8Array, uptime_ms: number, outcomes: Outcome[]): void => {
    readAll(framer.end(), uptime_ms, outcomes);
    const deciphered = decipher(packet);
    if (deciphered.kind === "refused") {
      outcomes.push(tally.refuse(deciphered.reason, deciphered.detail));
      return;
    }
    const cuts = framer.push(deciphered.bytes);
    cuts.push(...framer.end());
    if (cuts.length === 0) outcomes.push(tally.refuse("malformed", "what it deciphers to is no telegram"));
    for (const cut of cuts) {
      const outcome = outcomeOf(cut, uptime_ms);
      if (outcome === undefined) continue;
      const flags = outcome.ok ? [...outcome.flags, ...deciphered.flags] : [];
      outcomes.push(outcome.ok ? { ...outcome, flags, frame: packet } : outcome);
    }
  };

  const readPieces = (pieces: readonly P1Piece[], uptime_ms: number, outcomes: Outcome[]): void => {
    for (const piece of pieces) {
      if (piece.kind === "plain") readAll(framer.push(piece.bytes), uptime_ms, outcomes);
      else if (piece.kind === "packet") readPacket(piece.bytes, uptime_ms, outcomes);
      else outcomes.push(tally.refuse(piece.reason, piece.detail));
    }
  };

  return {
    ...onlyListens,
    push(bytes, uptime_ms) {
      const outcomes: Outcome[] = [];
      readPieces(splitter.push(bytes, uptime_ms), uptime_ms, outcomes);
      return outcomes;
    },
    end() {
      const outcomes: Outcome[] = [];
      readPieces(splitter.end(), Number.POSITIVE_INFINITY, outcomes);
      readAll(framer.end(), Number.POSITIVE_INFINITY, outcomes);
      return outcomes;
    },
    get counters() {
      return tally.counters(framer.noiseBytes);
    },
  };
}

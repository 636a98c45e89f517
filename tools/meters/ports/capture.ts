// A file of captured frames as a meter: its frames one by one, and again from the first after the last.

import { createReadStream } from "node:fs";
import { scoreCapture } from "../../../src/meter/detect.js";
import type { ReaderOptions } from "../../../src/meter/open-reader.js";
import { createReader } from "../../../src/meter/open-reader.js";
import type { Protocol } from "../../../src/meter/reader.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { hasTrace } from "./capture-trace.js";
import { withoutByteOrderMark } from "./foreign-capture.js";

const slash = 0x2f;
const lineFeed = 0x0a;
const detectionBytesMax = 256 * 1024;
/** By so many a capture is told to be no hex text without reading all of it as text. */
const hexBeginningBytes = 64;
const captureBytesMax = 256 * 1024 * 1024;

/**
 * The frames of a capture file: of P1 telegrams, broken ones included, each with what follows it up to the next `/` at the start of
 * a line; of every other protocol the good frames; an encrypted capture is one frame. Throws METER_PORT_FAILED where there is none.
 */
export async function readFrames(path: string): Promise<readonly Uint8Array[]> {
  const capture = await readCapture(path);
  const protocol = detectProtocol(capture);
  const frames = protocol === undefined || protocol === "p1" ? splitFrames(capture) : goodFrames(protocol, capture);
  if (frames.length > 0) return frames;
  if (protocol !== undefined) return [capture];
  throw new GridsealError("METER_PORT_FAILED", `capture ${path} holds no telegram`);
}

/** The protocol that explains the beginning of a capture best; undefined where none does, or only as chance would. */
export function detectProtocol(capture: Uint8Array, options: ReaderOptions = {}): Protocol | undefined {
  const beginning = capture.subarray(0, detectionBytesMax);
  const scores = scoreCapture(beginning, options).filter(({ score }) => score > 0);
  return scores.find(({ protocol, sure }) => sure || hasTrace(protocol, beginning))?.protocol;
}

function goodFrames(protocol: Protocol, capture: Uint8Array): readonly Uint8Array[] {
  const reader = createReader(protocol);
  return [...reader.push(capture, 0), ...reader.end()].flatMap((outcome) => (outcome.ok ? [outcome.frame] : []));
}

/**
 * The bytes of a capture of at most 256 MiB, `-` for standard input; one that is nothing but hex digits, as logs have frames, is what
 * they spell, whatever editor wrote them down.
 */
export async function readCapture(path: string): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  const stream = path === "-" ? process.stdin : createReadStream(path);
  try {
    for await (const chunk of stream) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > captureBytesMax) break;
    }
  } catch (thrown) {
    throw new GridsealError("FILE_UNREADABLE", `cannot read capture ${path}: ${reasonOf(thrown)}`, { cause: thrown });
  }
  if (length > captureBytesMax) {
    throw new GridsealError("FILE_UNREADABLE", `capture ${path} has more than ${captureBytesMax} bytes`);
  }
  const bytes = Buffer.concat(chunks);
  return spelledBytes(withoutByteOrderMark(bytes)) ?? bytes;
}

/**
 * What a text of pairs of hex digits spells, between them spaces, line ends, commas, colons or `0x`, and before each line its offset, as
 * dumps have it; undefined where it is another.
 */
function spelledBytes(capture: Uint8Array): Uint8Array | undefined {
  const begins = Buffer.from(capture.subarray(0, hexBeginningBytes)).toString("latin1");
  if (!/^\s*(?:0x)?[0-9a-f]{2}[\s,:0-9a-fx]*$/i.test(begins)) return undefined;
  const lines: string[][] = [];
  for (const line of Buffer.from(capture)
    .toString("latin1")
    .trim()
    .split(/[\r\n]+/)) {
    const digits = line
      .split(/[\s,:]+/)
      .map((part) => part.replace(/^0x/i, ""))
      .filter((part) => part !== "");
    if (!digits.every((part) => part.length % 2 === 0 && /^[0-9a-f]+$/i.test(part))) return undefined;
    lines.push(digits);
  }
  const spelled = (withoutOffsets(lines) ?? lines).map((digits) => Buffer.from(digits.join(""), "hex"));
  return Uint8Array.from(Buffer.concat(spelled));
}

/** The lines without their first numbers, where each of these is how many bytes came before its line. */
function withoutOffsets(lines: readonly string[][]): readonly string[][] | undefined {
  let before = 0;
  const stripped: string[][] = [];
  for (const [offset = "", ...digits] of lines) {
    if (offset.length < 4 || offset.length > 8 || Number.parseInt(offset, 16) !== before) return undefined;
    before += digits.join("").length / 2;
    stripped.push(digits);
  }
  return lines.length < 2 ? undefined : stripped;
}

/** Splits before every `/` that begins a line; what comes before the first is left out. */
export function splitFrames(capture: Uint8Array): readonly Uint8Array[] {
  const frames: Uint8Array[] = [];
  let start = -1;
  for (let index = 0; index < capture.length; index++) {
    if (capture[index] !== slash || (index > 0 && capture[index - 1] !== lineFeed)) continue;
    if (start >= 0) frames.push(capture.subarray(start, index));
    start = index;
  }
  if (start >= 0) frames.push(capture.subarray(start));
  return frames;
}

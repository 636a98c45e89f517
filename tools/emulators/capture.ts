// A file of captured frames as a meter: its frames one by one, and again from the first after the last.

import { readFile } from "node:fs/promises";
import { scoreCapture } from "../../src/meter/detect.js";
import { createReader, type Protocol, type ReaderOptions } from "../../src/meter/reader.js";
import { GridsealError, reasonOf } from "../errors.js";

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

/** The protocol that explains the beginning of a capture best; undefined where none does at all. */
export function detectProtocol(capture: Uint8Array, options: ReaderOptions = {}): Protocol | undefined {
  const [best] = scoreCapture(capture.subarray(0, detectionBytesMax), options);
  return best === undefined || best.score === 0 ? undefined : best.protocol;
}

function goodFrames(protocol: Protocol, capture: Uint8Array): readonly Uint8Array[] {
  const reader = createReader(protocol);
  return [...reader.push(capture, 0), ...reader.end()].flatMap((outcome) => (outcome.ok ? [outcome.frame] : []));
}

/** The bytes of a capture file of at most 256 MiB; one that is nothing but hex digits, as logs have frames, is what they spell. */
export async function readCapture(path: string): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (thrown) {
    throw new GridsealError("FILE_UNREADABLE", `cannot read capture ${path}: ${reasonOf(thrown)}`, { cause: thrown });
  }
  if (bytes.length > captureBytesMax) {
    throw new GridsealError(
      "FILE_UNREADABLE",
      `capture ${path} has ${bytes.length} bytes, more than ${captureBytesMax}`,
    );
  }
  return spelledBytes(bytes) ?? bytes;
}

/** What a text of pairs of hex digits spells, between them spaces, line ends, commas, colons or `0x`; undefined where it is another. */
function spelledBytes(capture: Uint8Array): Uint8Array | undefined {
  const begins = Buffer.from(capture.subarray(0, hexBeginningBytes)).toString("latin1");
  if (!/^\s*(?:0x)?[0-9a-f]{2}[\s,:0-9a-fx]*$/i.test(begins)) return undefined;
  const pairs = Buffer.from(capture)
    .toString("latin1")
    .trim()
    .split(/[\s,:]+/);
  const digits = pairs.map((part) => part.replace(/^0x/i, "")).filter((part) => part !== "");
  if (!digits.every((part) => part.length % 2 === 0 && /^[0-9a-f]+$/i.test(part))) return undefined;
  return Uint8Array.from(Buffer.from(digits.join(""), "hex"));
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

// A file of captured telegrams as a meter: its telegrams one by one, and again from the first after the last.

import { readFile } from "node:fs/promises";
import { GridsealError, reasonOf } from "../errors.js";

const slash = 0x2f;
const lineFeed = 0x0a;
const captureBytesMax = 256 * 1024 * 1024;

/** The telegrams of a capture file, each with what follows it up to the next `/` at the start of a line. */
export async function readFrames(path: string): Promise<readonly Uint8Array[]> {
  const frames = splitFrames(await readCapture(path));
  if (frames.length === 0) throw new GridsealError("METER_PORT_FAILED", `capture ${path} holds no telegram`);
  return frames;
}

/** The bytes of a capture file of at most 256 MiB. */
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
  return bytes;
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

// Run by xs.test.ts within XS: reads a stream with a reader and leaves the outcomes as text.

import { createDetector } from "../../src/meter/detect.js";
import { createReader } from "../../src/meter/open-reader.js";
import type { Protocol } from "../../src/meter/reader.js";
import { outcomeText } from "./outcome-text.js";

/** Bytes as numbers: the stream arrives as part of a script. */
function readInXs(protocol: Protocol, stream: readonly number[]): string {
  const reader = createReader(protocol, protocol === "d0" ? { headless: true } : {});
  const bytes = Uint8Array.from(stream);
  const half = bytes.length >> 1;
  const outcomes = [
    ...reader.push(bytes.subarray(0, half), 0),
    ...reader.push(bytes.subarray(half), 0),
    ...reader.end(),
  ];
  return outcomes.map(outcomeText).join("\n");
}

Object.assign(globalThis, { readInXs, detectInXs: () => createDetector().line.baud });

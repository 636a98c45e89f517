// What a node tells a meter that has no clock and so cannot sign a session token: [1, UTC seconds]. PROTOCOL.md, section 24.

import { TIME_S_MAX } from "./bounds.js";
import { decodeCbor, encodeCbor } from "./cbor.js";
import { WireError } from "./error.js";
import { asArray, asUint } from "./shape.js";

const VERSION = 1;

export function encodeTime(time_s: number): Uint8Array {
  return encodeCbor([VERSION, time_s]);
}

/** The UTC seconds. Throws a WireError. */
export function decodeTime(bytes: Uint8Array): number {
  const [version, time] = asArray(decodeCbor(bytes, { size: 16, items: 4 }), "time", 2);
  if (version !== VERSION) throw new WireError("unsupported", "time is of an unknown version");
  return asUint(time, "time", TIME_S_MAX);
}

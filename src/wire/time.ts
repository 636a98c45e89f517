// What a node tells a meter that has no clock and so cannot sign a session token, or whose token was refused: [1, UTC seconds], with the
// reason behind them where no token of the meter would be taken. PROTOCOL.md, section 24.

import { TIME_S_MAX } from "./bounds.js";
import { decodeCbor, encodeCbor } from "./cbor.js";
import { WireError } from "./error.js";
import { type RefusalReason, refusalFrom, refusalReasons } from "./refusal.js";
import { asArray, asUint } from "./shape.js";

const VERSION = 1;

export interface TimeTold {
  readonly time_s: number;
  /** why the meter is not admitted */
  readonly refusedAs?: RefusalReason | undefined;
}

export function encodeTime({ time_s, refusedAs }: TimeTold): Uint8Array {
  return encodeCbor(refusedAs === undefined ? [VERSION, time_s] : [VERSION, time_s, refusalReasons[refusedAs]]);
}

/** Throws a WireError. */
export function decodeTime(bytes: Uint8Array): TimeTold {
  const items = asArray(decodeCbor(bytes, { size: 16, items: 4 }), "time");
  if (items[0] !== VERSION) throw new WireError("unsupported", "time is of an unknown version");
  const [, time, reason] = asArray(items, "time", items.length === 3 ? 3 : 2);
  const refusedAs = reason === undefined ? undefined : refusalFrom(reason);
  return { time_s: asUint(time, "time", TIME_S_MAX), refusedAs };
}

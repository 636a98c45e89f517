// Commands on the meter's command topic: the CBOR array [1, service / null] asks for a record of the next reading, for one service or
// for all. Nothing that comes by MQTT can do more than that, and not often.

import { CODE_MAX } from "../wire/bounds.js";
import { decodeCbor } from "../wire/cbor.js";
import { WireError } from "../wire/error.js";
import { asArray, asService, asUint } from "../wire/shape.js";

const COMMAND_BYTES_MAX = 64;
const READ_NOW = 1;

export interface ReadNow {
  /** undefined asks for every service */
  readonly service: number | undefined;
}

/** Reads a command; undefined where the bytes are none that is known. */
export function decodeCommand(bytes: Uint8Array): ReadNow | undefined {
  try {
    const [code, service] = asArray(decodeCbor(bytes, { size: COMMAND_BYTES_MAX, items: 4 }), "command", 2);
    if (asUint(code, "command code", CODE_MAX) !== READ_NOW) return undefined;
    return { service: service === null ? undefined : asService(service, "command service") };
  } catch (thrown) {
    if (thrown instanceof WireError) return undefined;
    throw thrown;
  }
}

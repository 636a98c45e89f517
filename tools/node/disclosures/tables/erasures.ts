// Table `erasures`: what this node says of days that it has erased, as it has signed it, a row an erasure.

import { toHex } from "../../../../src/wire/bytes.js";
import { chainIn, type HashKey, idIn, numberIn } from "../../store/keys.js";
import { asIs, sha256Checksum, type Table } from "../../store/table.js";

/** By chain, meter, first day and the hash of the erasure's name. */
export const erasures: Table<HashKey, Uint8Array> = {
  name: "erasures",
  describe: (key) => `an erasure from day ${numberIn(key)} on of meter ${toHex(idIn(key))} on chain ${chainIn(key)}`,
  encode: asIs,
  decode: asIs,
  checksum: sha256Checksum,
  isTakenOver: true,
};

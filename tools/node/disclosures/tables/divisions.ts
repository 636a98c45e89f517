// Table `divisions`: how custodians have divided their shares of envelopes among later members, as they have signed it, with the sealed
// parts that this node has: its own, or all of them where it is the dealer.

import { toHex } from "../../../../src/wire/bytes.js";
import { chainIn, type HashKey, idIn, numberIn } from "../../store/keys.js";
import { sha256Checksum, type Table } from "../../store/table.js";
import { decodeKept, encodeKept, type KeptEnvelope } from "./envelopes.js";

/** By meter, day and the division's id. */
export const divisions: Table<HashKey, KeptEnvelope> = {
  name: "divisions",
  describe: (key) => `a divided share of day ${numberIn(key)} of meter ${toHex(idIn(key))} on chain ${chainIn(key)}`,
  encode: encodeKept,
  decode: decodeKept,
  checksum: sha256Checksum,
  isTakenOver: true,
};

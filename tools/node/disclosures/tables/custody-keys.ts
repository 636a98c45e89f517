// Table `custodyKeys`: the keys that shares are sealed to, as their nodes have stated them, a row a node.

import { toHex } from "../../../../src/wire/bytes.js";
import { type IdKey, idIn } from "../../store/keys.js";
import { asIs, sha256Checksum, type Table } from "../../store/table.js";

/** Signed statements by node, under chain 0: a node has one key for all chains. */
export const custodyKeys: Table<IdKey, Uint8Array> = {
  name: "custodyKeys",
  describe: (key) => `the custody key of node ${toHex(idIn(key))}`,
  encode: asIs,
  decode: asIs,
  checksum: sha256Checksum,
  isTakenOver: true,
};

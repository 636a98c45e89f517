// Table `credentials`: those of meters that are on a chain, and under chain 0 those that meters have shown to this node.

import { toHex } from "../../../../src/wire/bytes.js";
import { type IdKey, idIn } from "../../store/keys.js";
import { asIs, sha256Checksum, type Table } from "../../store/table.js";

export const credentials: Table<IdKey, Uint8Array> = {
  name: "credentials",
  describe: (key) => `credential of meter ${toHex(idIn(key))}`,
  encode: asIs,
  decode: asIs,
  checksum: sha256Checksum,
};

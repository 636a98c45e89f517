// Table `credentials`: those of meters that are on a chain, and under chain 0 those that meters have shown to this node.

import { toHex } from "../../../../src/wire/bytes.js";
import { verifyCredential } from "../../../../src/wire/credential.js";
import { type IdKey, idIn, idKey } from "../../store/keys.js";
import { soundOf } from "../../store/sound.js";
import { asIs, sha256Checksum, type Table } from "../../store/table.js";

export const credentials: Table<IdKey, Uint8Array> = {
  name: "credentials",
  describe: (key) => `credential of meter ${toHex(idIn(key))}`,
  encode: asIs,
  decode: asIs,
  checksum: sha256Checksum,
  isTakenOver: true,
  takeOver(key, row, { presentable, genesis, verify, put }) {
    const meter = toHex(idIn(key));
    // Those that meters have shown stand first, under chain 0; one that is on a chain stands in for a damaged one.
    if (presentable.has(meter) || soundOf(() => verifyCredential(row, genesis, verify)) === undefined) return;
    presentable.add(meter);
    put(credentials, idKey(0, idIn(key)), row);
  },
};

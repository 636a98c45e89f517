// Table `destroyed`: how much was erased of a meter's day, written as it is erased, until this node has signed it. A node that is stopped
// in the middle knows at its next start what it had destroyed before.

import { toHex } from "../../../../src/wire/bytes.js";
import { chainIn, idIn, type NumberKey, numberIn } from "../../store/keys.js";
import { asBuffer, sha256Checksum, type Table } from "../../store/table.js";

export interface DestroyedOfDay {
  readonly envelopes: number;
  readonly disclosures: number;
}

const COUNT_BYTES = 6;

/** By chain, meter and day. */
export const destroyed: Table<NumberKey, DestroyedOfDay> = {
  name: "destroyed",
  describe: (key) => `what is erased of day ${numberIn(key)} of meter ${toHex(idIn(key))} on chain ${chainIn(key)}`,
  encode({ envelopes, disclosures }) {
    const row = Buffer.allocUnsafe(2 * COUNT_BYTES);
    row.writeUIntBE(envelopes, 0, COUNT_BYTES);
    row.writeUIntBE(disclosures, COUNT_BYTES, COUNT_BYTES);
    return row;
  },
  decode(content) {
    const row = asBuffer(content);
    if (row.length !== 2 * COUNT_BYTES) throw new Error(`destroyed row has ${row.length} bytes`);
    return { envelopes: row.readUIntBE(0, COUNT_BYTES), disclosures: row.readUIntBE(COUNT_BYTES, COUNT_BYTES) };
  },
  checksum: sha256Checksum,
  isTakenOver: true,
};

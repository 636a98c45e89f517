// Table `missingShares`: envelopes of which this node has a ciphertext and no share. Their shares are asked of custodians.

import { TIME_S_MAX } from "../../../../src/wire/bounds.js";
import { toHex } from "../../../../src/wire/bytes.js";
import { decodeCbor, encodeCbor } from "../../../../src/wire/cbor.js";
import { asArray, asBytes, asUint } from "../../../../src/wire/shape.js";
import { chainIn, type HashKey, idIn, numberIn } from "../../store/keys.js";
import { sha256Checksum, type Table } from "../../store/table.js";

export interface MissingShare {
  /** id of the envelope */
  readonly id: Uint8Array;
  /** UTC seconds at which this node has noted it */
  readonly since_s: number;
}

/** By meter, day and the envelope's id, as envelopes are. */
export const missingShares: Table<HashKey, MissingShare> = {
  name: "missingShares",
  describe: (key) => `a missing share of day ${numberIn(key)} of meter ${toHex(idIn(key))} on chain ${chainIn(key)}`,
  encode: ({ id, since_s }) => encodeCbor([id, since_s]),
  decode(content) {
    const [id, since_s] = asArray(decodeCbor(content), "missing share", 2);
    return { id: asBytes(id, "missing envelope", 32), since_s: asUint(since_s, "missing since", TIME_S_MAX) };
  },
  checksum: sha256Checksum,
};

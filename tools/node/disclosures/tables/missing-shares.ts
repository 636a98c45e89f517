// Table `missingShares`: envelopes of which this node has a ciphertext and no share. Their shares are asked of custodians.

import { TIME_S_MAX } from "../../../../src/wire/bounds.js";
import { toHex } from "../../../../src/wire/bytes.js";
import { decodeCbor, encodeCbor } from "../../../../src/wire/cbor.js";
import { DAY_MAX } from "../../../../src/wire/envelope.js";
import { asArray, asBytes, asUint } from "../../../../src/wire/shape.js";
import { chainIn, idIn, type OriginKey } from "../../store/keys.js";
import { sha256Checksum, type Table } from "../../store/table.js";

export interface MissingShare {
  readonly meter: Uint8Array;
  /** UTC days since 1970 */
  readonly day: number;
  /** id of the envelope */
  readonly id: Uint8Array;
  /** UTC seconds at which this node has noted it */
  readonly since_s: number;
}

/** By the origin of the temporary block that named it, then by meter, day and the envelope's id, as envelopes are. */
export const missingShares: Table<OriginKey, MissingShare> = {
  name: "missingShares",
  describe: (key) => `a missing share of an envelope that node ${toHex(idIn(key))} named on chain ${chainIn(key)}`,
  encode: ({ meter, day, id, since_s }) => encodeCbor([meter, day, id, since_s]),
  decode(content) {
    const [meter, day, id, since_s] = asArray(decodeCbor(content), "missing share", 4);
    return {
      meter: asBytes(meter, "missing share's meter", 8),
      day: asUint(day, "missing share's day", DAY_MAX),
      id: asBytes(id, "missing envelope", 32),
      since_s: asUint(since_s, "missing since", TIME_S_MAX),
    };
  },
  checksum: sha256Checksum,
};

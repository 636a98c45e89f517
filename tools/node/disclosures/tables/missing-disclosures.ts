// Table `missingDisclosures`: readings that the chain has sealed and whose sealed disclosures this node has not. They are asked of peers.

import { TIME_S_MAX } from "../../../../src/wire/bounds.js";
import { toHex } from "../../../../src/wire/bytes.js";
import { decodeCbor, encodeCbor } from "../../../../src/wire/cbor.js";
import { DAY_MAX } from "../../../../src/wire/envelope.js";
import { asArray, asBytes, asUint } from "../../../../src/wire/shape.js";
import { chainIn, type HashKey, idIn, numberIn } from "../../store/keys.js";
import { sha256Checksum, type Table } from "../../store/table.js";

export interface MissingDisclosures {
  /** of the record */
  readonly hash: Uint8Array;
  /** id of the node that has encrypted them */
  readonly origin: Uint8Array;
  /** UTC days since 1970 of the record's time */
  readonly day: number;
  /** UTC seconds at which this node has noted it */
  readonly since_s: number;
}

/** By meter, number and the record's hash, as they are where they are kept. */
export const missingDisclosures: Table<HashKey, MissingDisclosures> = {
  name: "missingDisclosures",
  describe: (key) =>
    `missing disclosures of record ${numberIn(key)} of meter ${toHex(idIn(key))} on chain ${chainIn(key)}`,
  encode: ({ hash, origin, day, since_s }) => encodeCbor([hash, origin, day, since_s]),
  decode(content) {
    const [hash, origin, day, since_s] = asArray(decodeCbor(content), "missing disclosures", 4);
    return {
      hash: asBytes(hash, "missing record", 32),
      origin: asBytes(origin, "missing record's origin", 8),
      day: asUint(day, "missing record's day", DAY_MAX),
      since_s: asUint(since_s, "missing since", TIME_S_MAX),
    };
  },
  checksum: sha256Checksum,
};

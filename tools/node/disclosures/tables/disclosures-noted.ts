// Table `disclosuresNoted`: the height up to which a chain's blocks were gone over for what is missing of their readings' disclosures.

import { HEIGHT_MAX } from "../../../../src/wire/bounds.js";
import { decodeCbor, encodeCbor } from "../../../../src/wire/cbor.js";
import { asUint } from "../../../../src/wire/shape.js";
import { type ChainKey, chainIn } from "../../store/keys.js";
import { sha256Checksum, type Table } from "../../store/table.js";

export const disclosuresNoted: Table<ChainKey, number> = {
  name: "disclosuresNoted",
  describe: (key) => `how far missing disclosures of chain ${chainIn(key)} are noted`,
  encode: (height) => encodeCbor(height),
  decode: (content) => asUint(decodeCbor(content), "noted height", HEIGHT_MAX),
  checksum: sha256Checksum,
};

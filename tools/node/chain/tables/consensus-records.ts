// Table `consensus`: where this node is in the consensus of each chain, before anything of it is signed (tools/consensus/signed-position.ts).

import { type ChainKey, chainIn } from "../../store/keys.js";
import { asIs, sha256Checksum, type Table } from "../../store/table.js";

export const consensusRecords: Table<ChainKey, Uint8Array> = {
  name: "consensus",
  describe: (key) => `consensus record of chain ${chainIn(key)}`,
  encode: asIs,
  decode: asIs,
  checksum: sha256Checksum,
};

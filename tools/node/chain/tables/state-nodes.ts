// Table `stateNodes`: the nodes of the authenticated map over a chain's contract state, by their hashes.
// A block that writes costs some nine for each key. What a row is named by says what it must be, so a shorter checksum finds damage.

import { STATE_NODE_BYTES } from "../../../ledger/state-map.js";
import { chainIn, type NodeKey } from "../../store/keys.js";
import { asIs, crc32Checksum, type Table } from "../../store/table.js";

export const stateNodes: Table<NodeKey, Uint8Array> = {
  name: "stateNodes",
  describe: (key) => `a node of the state of chain ${chainIn(key)}`,
  encode: asIs,
  decode(content) {
    if (content.length !== STATE_NODE_BYTES) throw new Error(`a node has ${content.length} bytes`);
    return content;
  },
  checksum: crc32Checksum,
};

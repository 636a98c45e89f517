// Table `contractState`: what a chain's contracts remember, a row a key. It follows from the chain, so a repair leaves it to the replay.

import { chainIn, type StateKey, stateKeyIn } from "../../store/keys.js";
import { asIs, sha256Checksum, type Table } from "../../store/table.js";

/** Encoded values by their whole keys: the contract's name, a slash, its own key. */
export const contractState: Table<StateKey, Uint8Array> = {
  name: "contractState",
  describe: (key) => `state ${JSON.stringify(stateKeyIn(key))} of chain ${chainIn(key)}`,
  encode: asIs,
  decode: asIs,
  checksum: sha256Checksum,
};

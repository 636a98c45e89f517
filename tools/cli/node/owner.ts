// Whose store the configuration of a stopped node names, for what looks after it.

import { existsSync } from "node:fs";
import { keyId } from "../../../src/wire/key.js";
import { GridsealError } from "../../errors.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { readKeyFile } from "../../files/key-file.js";
import { readNodeConfiguration } from "../../node/configuration.js";

/** Whose store a configuration names. Rejects where there is none. */
export async function readOwner(path: string) {
  const configuration = await readNodeConfiguration(path);
  const { genesis } = await readGenesisFile(configuration.genesis);
  const { key } = await readKeyFile(configuration.key);
  if (!existsSync(configuration.data)) {
    throw new GridsealError("FILE_UNREADABLE", `there is no store in ${configuration.data}`);
  }
  return { configuration, genesis, owner: { node: keyId(key), genesisHash: genesis.hash } };
}

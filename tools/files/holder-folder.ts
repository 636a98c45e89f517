// The folder of who signs session tokens: its key and the genesis, and of a participant its credential. A node's folder is one.

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { CREDENTIAL_BYTES_MAX } from "../../src/wire/credential.js";
import { freshToken } from "../crypto/fresh-token.js";
import { readGenesisFile } from "./genesis-file.js";
import { readKeyFile } from "./key-file.js";
import { readWhole } from "./made-once.js";

/** A token for an API or a broker of that URL, good from now on for minutes. */
export type TokenFor = (url: string) => string;

/** Reads key.json, genesis.cbor and, where it is there, credential.cbor. Throws what reading these files throws. */
export async function readHolderFolder(folder: string): Promise<TokenFor> {
  const signer = await readKeyFile(join(folder, "key.json"));
  const { genesis } = await readGenesisFile(join(folder, "genesis.cbor"));
  const path = join(folder, "credential.cbor");
  const isThere = (await stat(path).catch(() => undefined)) !== undefined;
  const credential = isThere ? await readWhole(path, CREDENTIAL_BYTES_MAX) : undefined;
  const holder = { signer, genesis: genesis.hash, ...(credential !== undefined && { credential }) };
  return (url) => freshToken(holder, url, Date.now());
}

// The genesis on disk, and what people call its chains.

import { GENESIS_BYTES_MAX, type Genesis, type GenesisChain, verifyGenesis } from "../../src/wire/genesis.js";
import { nodeVerify } from "../crypto/signatures.js";
import { GridsealError, reasonOf } from "../errors.js";
import { readWhole } from "./made-once.js";

/**
 * Reads a genesis and checks its authority's signature. Throws FILE_UNREADABLE or GENESIS_INVALID.
 */
export async function readGenesisFile(
  path: string,
): Promise<{ readonly genesis: Genesis; readonly bytes: Uint8Array }> {
  const bytes = await readWhole(path, GENESIS_BYTES_MAX);
  return { genesis: checkGenesis(bytes, path), bytes };
}

/** Checks a genesis that came from `origin`. Throws GENESIS_INVALID. */
export function checkGenesis(bytes: Uint8Array, origin: string): Genesis {
  try {
    return verifyGenesis(bytes, nodeVerify);
  } catch (cause) {
    throw new GridsealError("GENESIS_INVALID", `${origin} is no genesis: ${reasonOf(cause)}`, { cause });
  }
}

/** The chain that a person names by its name or number. Throws NOT_FOUND. */
export function chainNamed(genesis: Genesis, text: string): GenesisChain {
  const chain = genesis.chains.find(({ service, name }) => name === text || String(service) === text);
  if (chain !== undefined) return chain;
  const known = genesis.chains.map(({ service, name }) => `${name} (${service})`).join(", ");
  throw new GridsealError("NOT_FOUND", `network ${genesis.network} has no service ${text}: it has ${known}`);
}

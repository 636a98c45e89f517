// The orders that an authority has signed, kept in its folder: by them it knows the chains that it
// has added to those of the genesis. Whether one is sealed only a node can say.

import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { WireError } from "../../src/wire/error.js";
import type { Genesis, GenesisChain } from "../../src/wire/genesis.js";
import { ORDER_BYTES_MAX, type Order, verifyOrder } from "../../src/wire/order.js";
import { nodeVerify } from "../crypto/signatures.js";
import { GridsealError, reasonOf } from "../errors.js";
import { PUBLIC, readWhole } from "../files/made-once.js";

const ORDERS_MAX = 100_000;
const folderOf = (authority: string) => join(authority, "orders");

/** Keeps a signed order; one that is signed anew under its number takes its place. Throws FILE_UNWRITABLE. */
export async function keepOrder(authority: string, { number }: Order, bytes: Uint8Array): Promise<void> {
  const path = join(folderOf(authority), `${number}.cose`);
  try {
    await mkdir(folderOf(authority), { recursive: true, mode: 0o700 });
    await writeFile(path, bytes, { mode: PUBLIC });
  } catch (cause) {
    throw new GridsealError("FILE_UNWRITABLE", `${path} cannot be written: ${reasonOf(cause)}`, { cause });
  }
}

/** The chains of the genesis and those that kept orders add. Throws ORDER_REFUSED where one is damaged or another authority's. */
export async function issuedChains(authority: string, genesis: Genesis): Promise<readonly GenesisChain[]> {
  const chains = [...genesis.chains];
  const names = await readdir(folderOf(authority)).catch(() => []);
  for (const file of names.filter((each) => /^[0-9]+[.]cose$/.test(each)).slice(0, ORDERS_MAX)) {
    const path = join(folderOf(authority), file);
    const action = readKept(await readWhole(path, ORDER_BYTES_MAX), path, genesis).action;
    if (action.type !== "chain" || chains.some((chain) => chain.service === action.service)) continue;
    const { service, name, members, target, verifiers } = action;
    chains.push({ service, name, members, target, verifiers });
  }
  return chains;
}

function readKept(bytes: Uint8Array, path: string, genesis: Genesis): Order {
  try {
    return verifyOrder(bytes, genesis, nodeVerify);
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new GridsealError("ORDER_REFUSED", `${path} is no order of this authority: ${cause.message}`, { cause });
  }
}

// The orders that an authority has signed, kept in its folder: by them it knows the chains that it has added to those of the genesis,
// and what it has ordered of meters and members. Whether one is sealed only a node can say.

import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ORDER_WITH_SOURCE_BYTES_MAX, travellingOrder } from "../../src/wire/contract-order.js";
import { WireError } from "../../src/wire/error.js";
import type { Genesis, GenesisChain } from "../../src/wire/genesis.js";
import { type Order, readOrder } from "../../src/wire/order.js";
import { orderSignatures } from "../../src/wire/order-signatures.js";
import { nodeVerify } from "../crypto/signatures.js";
import { GridsealError, reasonOf } from "../errors.js";
import { PUBLIC, readWhole } from "../files/made-once.js";
import { type Governance, govern, governedHeight, initialGovernance } from "../ledger/governance.js";

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

/**
 * What the kept orders come to, one upon the other, those below a number where it is given. Throws ORDER_REFUSED where one does not
 * apply, is damaged or another authority's.
 */
export async function issuedGovernance(
  authority: string,
  genesis: Genesis,
  before = Number.POSITIVE_INFINITY,
): Promise<Governance> {
  let governance = initialGovernance(genesis);
  for (const { path, order } of await keptOrders(authority, genesis)) {
    if (order.number >= before) break;
    const governed = govern({ ...governance, lastOrder: order.number - 1 }, order, governedHeight(governance) + 1);
    if (governed.type === "refused") {
      const what = `${path} does not apply upon the orders before it that are kept here: ${governed.reason}`;
      throw new GridsealError("ORDER_REFUSED", `${what}; name a node by --api or --data`);
    }
    governance = governed.governance;
  }
  return governance;
}

/** The chains of the genesis and those that kept orders add. Throws ORDER_REFUSED where one is damaged or another authority's. */
export async function issuedChains(authority: string, genesis: Genesis): Promise<readonly GenesisChain[]> {
  const chains = [...genesis.chains];
  for (const { order } of await keptOrders(authority, genesis)) {
    const { action } = order;
    if (action.type !== "chain" || chains.some((chain) => chain.service === action.service)) continue;
    const { service, name, members, target, verifiers } = action;
    chains.push({ service, name, members, target, verifiers });
  }
  return chains;
}

/** In the order of their numbers. */
async function keptOrders(authority: string, genesis: Genesis) {
  const names = await readdir(folderOf(authority)).catch(() => []);
  const kept: { readonly path: string; readonly order: Order }[] = [];
  for (const name of names.filter((each) => /^[0-9]+[.]cose$/.test(each)).slice(0, ORDERS_MAX)) {
    const path = join(folderOf(authority), name);
    kept.push({ path, order: readKept(await readWhole(path, ORDER_WITH_SOURCE_BYTES_MAX), path, genesis) });
  }
  return kept.sort((left, right) => left.order.number - right.order.number);
}

/** One that waits for further signatures is kept too. */
function readKept(bytes: Uint8Array, path: string, genesis: Genesis): Order {
  try {
    const order = readOrder(bytes, genesis);
    if (orderSignatures(travellingOrder(bytes).order, genesis, nodeVerify).signed === 0)
      throw new WireError("unproven", "nobody has signed it");
    return order;
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new GridsealError("ORDER_REFUSED", `${path} is no order of this authority: ${cause.message}`, { cause });
  }
}

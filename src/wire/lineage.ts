// What leads from the genesis to a chain's members of any height, item by item: for a chain that was added the authority's order, then
// a handover for every change. As bytes it is a CBOR sequence (RFC 8742), which also stands behind a receipt in a file.

import { isSign } from "./cose.js";
import { WireError } from "./error.js";
import { ORDER_BYTES_MAX, verifyFounding } from "./founding-order.js";
import { chainOf, type Genesis, type MemberKey } from "./genesis.js";
import { guardCborPrefix } from "./guard.js";
import { decodeHandover, HANDOVER_BYTES_MAX, handoverLimits, verifyHandover } from "./handover.js";
import type { Verify } from "./key.js";

/** Largest lineage that is read as a whole. */
export const LINEAGE_BYTES_MAX = 4_194_304;
/** Bytes of the tag in front of an item: COSE_Sign1's of one, COSE_Sign's of two, none of a handover. */
function tagBytes(item: Uint8Array): number {
  if (isSign(item)) return 2;
  return item[0] === 0xd2 ? 1 : 0;
}

/** A member set and the height from which it counts. */
export interface MembersFrom {
  readonly from: number;
  readonly members: readonly MemberKey[];
}

/** Whether an item is the order that added the chain. */
export function isFounding(item: Uint8Array): boolean {
  return tagBytes(item) > 0;
}

/** The items that lead to the members of a height. */
export function lineageUpTo(items: readonly Uint8Array[], height: number): readonly Uint8Array[] {
  return items.filter((item) => isFounding(item) || decodeHandover(item).height < height);
}

/** The items of a sequence; throws a WireError where it holds something else. */
export function splitLineage(bytes: Uint8Array): Uint8Array[] {
  if (bytes.length > LINEAGE_BYTES_MAX) throw new WireError("limit", `lineage has ${bytes.length} bytes`);
  const items: Uint8Array[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const rest = bytes.subarray(offset);
    const tag = tagBytes(rest);
    const length =
      tag > 0
        ? tag + guardCborPrefix(rest.subarray(tag), { size: ORDER_BYTES_MAX - tag, items: 256 })
        : guardCborPrefix(rest, handoverLimits);
    items.push(rest.subarray(0, length));
    offset += length;
  }
  return items;
}

/** The set that the item proves, with the set before it; undefined `before` where none is known. Throws a WireError unless it does. */
export function nextSet(
  genesis: Genesis,
  chain: number,
  before: MembersFrom | undefined,
  item: Uint8Array,
  verify: Verify,
): MembersFrom {
  if (isFounding(item)) return foundingSet(genesis, chain, item, verify);
  if (item.length > HANDOVER_BYTES_MAX) throw new WireError("limit", `handover has ${item.length} bytes`);
  const handover = decodeHandover(item);
  if (handover.chain !== chain) throw new WireError("unproven", `handover is of chain ${handover.chain}, not ${chain}`);
  if (before === undefined) throw new WireError("unproven", `nothing says who the first members of chain ${chain} are`);
  if (handover.height < before.from) throw new WireError("unproven", "handovers are not in the order of their heights");
  verifyHandover(handover, genesis, before.members, verify);
  return { from: handover.height + 1, members: handover.members };
}

/** The first members of a chain of the genesis; undefined where it was added later or there is none. */
export function genesisSet(genesis: Genesis, chain: number): MembersFrom | undefined {
  const members = chainOf(genesis, chain)?.members;
  return members === undefined ? undefined : { from: 1, members };
}

/** All member sets of a chain that a lineage proves, from its first on. Throws a WireError where it does not hold together. */
export function memberSets(
  genesis: Genesis,
  chain: number,
  lineage: readonly Uint8Array[],
  verify: Verify,
): readonly MembersFrom[] {
  const first = genesisSet(genesis, chain);
  const sets: MembersFrom[] = first === undefined ? [] : [first];
  for (const item of lineage) {
    if (sets.length > 0 && isFounding(item)) throw new WireError("unproven", "an order is not at the lineage's head");
    sets.push(nextSet(genesis, chain, sets[sets.length - 1], item, verify));
  }
  if (sets.length === 0) throw new WireError("unproven", `genesis has no chain ${chain}, and no order adds it`);
  return sets;
}

/** The members of a height: of the last set that counts from there or before; undefined where there is none. */
export function membersAt(sets: readonly MembersFrom[], height: number): readonly MemberKey[] | undefined {
  let found: readonly MemberKey[] | undefined;
  for (const { from, members } of sets) if (from <= height) found = members;
  return found;
}

function foundingSet(genesis: Genesis, chain: number, item: Uint8Array, verify: Verify): MembersFrom {
  const action = verifyFounding(item, genesis, verify);
  if (action?.service !== chain || chainOf(genesis, chain) !== undefined) {
    throw new WireError("unproven", `order does not add chain ${chain}`);
  }
  return { from: 1, members: action.members };
}

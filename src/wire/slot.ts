// A closed settlement interval: a leaf of its block's tree behind the outcomes and effects, over a Merkle tree of a row a point, so that
// a point's energy has a receipt: its row, a path to the root in the leaf, and the leaf's receipt.

import { asPoint } from "./assignment-order.js";
import { TIME_S_MAX, WORD_MAX } from "./bounds.js";
import { type CborValue, decodeCbor, encodeCbor } from "./cbor.js";
import { WireError } from "./error.js";
import { HASH_BYTES } from "./hash.js";
import { leafHash, type MerkleLevels, merkleLevels, rootOfLevels } from "./merkle.js";
import { asArray, asBytes, asHeight, asInteger, asList, asService, asUint } from "./shape.js";

/** Slots that one block closes. */
export const BLOCK_SLOTS_MAX = 4;
/** Seconds of a slot. */
export const SLOT_S_MAX = 86_400;
/** Slots of lateness. */
export const SLOTS_LATE_MAX = 96;
/** Seconds over which a counter is interpolated. */
export const GAP_S_MAX = 31 * 86_400;
/** Kinds of doubts of a row: bits 0 to 30, as claim 15 of a record has them. */
export const DOUBTS_MAX = 2 ** 31 - 1;

/** How a chain settles, as the order that installs a contract asks for it. */
export interface SettlementPlan {
  readonly slot_s: number;
  /** seconds behind its end at which a slot closes, whoever is missing; at most SLOTS_LATE_MAX slots */
  readonly lateness_s: number;
  /** a counter is interpolated between readings at most so many seconds apart */
  readonly gapMax_s: number;
}

/** 1: both ends are readings; 2: one at least is interpolated; 3: an energy is missing. */
export type RowQuality = 1 | 2 | 3;

/** What a point has taken and given in a slot. */
export interface PointRow {
  readonly point: string;
  /** mWh; null where unknown or not measured */
  readonly imported: bigint | null;
  readonly exported: bigint | null;
  readonly quality: RowQuality;
  /** the kinds of doubts, as bits, that were sealed with the readings at its ends; at most DOUBTS_MAX */
  readonly doubts: number;
}

/** A closed slot as results have it. */
export interface SealedSlot {
  readonly start_s: number;
  readonly slot_s: number;
  /** how many points it has, at least 1 */
  readonly points: number;
  /** of the tree over the encoded rows */
  readonly root: Uint8Array;
}

export function planToArray({ slot_s, lateness_s, gapMax_s }: SettlementPlan): CborValue {
  return [slot_s, lateness_s, gapMax_s];
}

export function isSamePlan(one: SettlementPlan, other: SettlementPlan): boolean {
  return one.slot_s === other.slot_s && one.lateness_s === other.lateness_s && one.gapMax_s === other.gapMax_s;
}

export function planFrom(value: CborValue | undefined): SettlementPlan {
  const [slot, lateness, gap] = asArray(value, "order slots", 3);
  const slot_s = asUint(slot, "order slot length", SLOT_S_MAX);
  if (slot_s < 1) throw new WireError("shape", "order slot length must be at least 1 s");
  const lateness_s = asUint(lateness, "order lateness", SLOTS_LATE_MAX * slot_s);
  return { slot_s, lateness_s, gapMax_s: asUint(gap, "order longest gap", GAP_S_MAX) };
}

/** The entry of a row in its slot's tree. */
export function encodePointRow(row: PointRow): Uint8Array {
  return encodeCbor(pointRowToArray(row));
}

export function pointRowToArray({ point, imported, exported, quality, doubts }: PointRow): CborValue {
  return [point, imported, exported, quality, doubts];
}

/** Reads a row's entry; throws a WireError where it is none. */
export function decodePointRow(bytes: Uint8Array): PointRow {
  return pointRowFrom(decodeCbor(bytes, { size: 512, items: 8 }));
}

export function pointRowFrom(value: CborValue): PointRow {
  const [point, imported, exported, quality, doubts] = asArray(value, "slot row", 5);
  if (quality !== 1 && quality !== 2 && quality !== 3) throw new WireError("shape", "slot row quality must be 1 to 3");
  return {
    point: asPoint(point, "slot row point"),
    imported: energyFrom(imported),
    exported: energyFrom(exported),
    quality,
    doubts: asUint(doubts, "slot row doubts", DOUBTS_MAX),
  };
}

function energyFrom(value: CborValue | undefined): bigint | null {
  return value === null ? null : BigInt(asInteger(value, "slot row energy"));
}

/** The rows of a closed slot, and the block that closed it. */
export interface SlotRows {
  readonly height: number;
  readonly rows: readonly PointRow[];
}

export function encodeSlotRows({ height, rows }: SlotRows): Uint8Array {
  return encodeCbor([height, rows.map(pointRowToArray)]);
}

/** Reads a slot's rows; throws a WireError where they are none. */
export function decodeSlotRows(bytes: Uint8Array): SlotRows {
  const limits = { size: bytes.length, items: bytes.length + 1 };
  const [height, rows] = asArray(decodeCbor(bytes, limits), "slot rows", 2);
  return { height: asHeight(height, "slot height"), rows: asArray(rows, "slot rows").map(pointRowFrom) };
}

/** The tree over a slot's rows. */
export function slotTree(rows: readonly Uint8Array[]): MerkleLevels {
  return merkleLevels(rows.map(leafHash));
}

export function slotRoot(rows: readonly Uint8Array[]): Uint8Array {
  return rootOfLevels(slotTree(rows));
}

/** The bytes whose hash is the entry of a closed slot's leaf. */
export function slotItem(
  { chain, height }: { readonly chain: number; readonly height: number },
  { start_s, slot_s, points, root }: SealedSlot,
): Uint8Array {
  return encodeCbor(["gs1/slot", chain, height, start_s, slot_s, points, root]);
}

/** Reads the bytes of a slot's leaf; throws a WireError where they are none. */
export function decodeSlotItem(bytes: Uint8Array): SealedSlot & { readonly chain: number; readonly height: number } {
  const [name, chain, height, ...slot] = asArray(decodeCbor(bytes, { size: 512, items: 16 }), "slot", 7);
  if (name !== "gs1/slot") throw new WireError("shape", "these bytes are no slot's");
  return { chain: asService(chain, "slot chain"), height: asHeight(height, "slot height"), ...slotFrom(slot) };
}

export function slotsToArray(slots: readonly SealedSlot[]): CborValue {
  return slots.map(({ start_s, slot_s, points, root }) => [start_s, slot_s, points, root]);
}

/** Reads the closed slots of a block's results; throws a WireError where they are malformed. */
export function slotsFromArray(value: CborValue | undefined): SealedSlot[] {
  return asList(value, "slots", BLOCK_SLOTS_MAX).map((item) => slotFrom(asArray(item, "slot", 4)));
}

function slotFrom(items: readonly CborValue[]): SealedSlot {
  const [start, length, points, root] = asArray(items, "slot", 4);
  const slot_s = asUint(length, "slot length", SLOT_S_MAX);
  if (slot_s < 1) throw new WireError("shape", "slot length must be at least 1 s");
  return {
    start_s: asUint(start, "slot start", TIME_S_MAX),
    slot_s,
    points: asUint(points, "slot points", WORD_MAX),
    root: asBytes(root, "slot root", HASH_BYTES),
  };
}

// Keys of the store's tables: fixed-width big-endian fields, so that rows stand in the order of their numbers. A key has its kind as
// its type: a table takes no other.

import { MESSAGE_NUMBER_MAX, SERVICE_MAX } from "../../../src/wire/bounds.js";

declare const kind: unique symbol;

export type ChainKey = Buffer & { readonly [kind]: "chain" };
export type BlockKey = Buffer & { readonly [kind]: "block" };
export type IdKey = Buffer & { readonly [kind]: "id" };
export type NumberKey = Buffer & { readonly [kind]: "number" };
export type StateKey = Buffer & { readonly [kind]: "state" };
export type OutgoingKey = Buffer & { readonly [kind]: "outgoing" };
export type NodeKey = Buffer & { readonly [kind]: "node" };
export type SlotKey = Buffer & { readonly [kind]: "slot" };
export type HashKey = Buffer & { readonly [kind]: "hash" };
export type OriginKey = Buffer & { readonly [kind]: "origin" };
export type PlaceKey = Buffer & { readonly [kind]: "place" };

/** Of a row that belongs to a chain. */
export type KeyOfChain =
  | ChainKey
  | BlockKey
  | IdKey
  | NumberKey
  | StateKey
  | NodeKey
  | OutgoingKey
  | SlotKey
  | HashKey
  | OriginKey
  | PlaceKey;

/** Keys from `start` on and before `end`; in reverse, from `start` down and behind `end`. */
export interface KeyRange {
  readonly start?: Buffer;
  readonly end?: Buffer;
  readonly reverse?: boolean;
  readonly limit?: number;
}

/** chain (2 bytes) */
export function chainKey(chain: number): ChainKey {
  const key = Buffer.allocUnsafe(2);
  key.writeUInt16BE(chain);
  return key as ChainKey;
}

/** chain (2), height (5) */
export function blockKey(chain: number, height: number): BlockKey {
  const key = Buffer.allocUnsafe(7);
  key.writeUInt16BE(chain);
  key.writeUIntBE(height, 2, 5);
  return key as BlockKey;
}

/** chain (2), id of a meter or node (8) */
export function idKey(chain: number, id: Uint8Array): IdKey {
  const key = Buffer.allocUnsafe(10);
  key.writeUInt16BE(chain);
  key.set(id, 2);
  return key as IdKey;
}

/** chain (2), id (8), number (7, of 53 bits): a record's sequence number, or a temporary block's */
export function numberKey(chain: number, id: Uint8Array, number: number): NumberKey {
  const key = Buffer.allocUnsafe(17);
  key.writeUInt16BE(chain);
  key.set(id, 2);
  key[10] = Math.floor(number / 2 ** 48);
  key.writeUIntBE(number % 2 ** 48, 11, 6);
  return key as NumberKey;
}

/** chain (2), id (8), number (7), beginning of a hash (8), which tells two of one number apart */
export function hashKey(chain: number, id: Uint8Array, number: number, hash: Uint8Array): HashKey {
  return Buffer.concat([numberKey(chain, id, number), hash.subarray(0, 8)]) as Buffer as HashKey;
}

/** chain (2), id of a node (8), and of what came from it the rest of a `hashKey` */
export function originKey(origin: Uint8Array, key: HashKey): OriginKey {
  return Buffer.concat([key.subarray(0, 2), origin, key.subarray(2)]) as Buffer as OriginKey;
}

/** The same, and behind it the id of a node (8), where several nodes have made something of one thing. */
export function makerKey(key: HashKey, node: Uint8Array): HashKey {
  return Buffer.concat([key, node]) as Buffer as HashKey;
}

/** Who has made it. */
export function makerIn(key: HashKey): Uint8Array {
  return Uint8Array.from(key.subarray(-8));
}

/** The range of what all nodes have made of it. */
export function makersRange(key: HashKey) {
  return { start: key, end: Buffer.concat([key, Buffer.alloc(9, 0xff)]) };
}

/** The range of all such keys of an id's numbers from one to another, both included, whoever has made what. */
export function hashRange(chain: number, id: Uint8Array, numbers: { readonly from: number; readonly to: number }) {
  const end = hashKey(chain, id, numbers.to, Buffer.alloc(8, 0xff));
  return { start: numberKey(chain, id, numbers.from), end: makersRange(end).end };
}

/** chain (2), key of the chain's contract state as UTF-8 */
export function stateKey(chain: number, key: string): StateKey {
  return Buffer.concat([chainKey(chain), Buffer.from(key)]) as Buffer as StateKey;
}

/** chain (2), hash of a node of the map over that state (32) */
export function nodeKey(chain: number, hash: Uint8Array): NodeKey {
  const key = Buffer.allocUnsafe(34);
  key.writeUInt16BE(chain);
  key.set(hash, 2);
  return key as NodeKey;
}

/** chain (2), chain that a message is for (2), its number (6) */
export function outgoingKey(chain: number, target: number, number: number): OutgoingKey {
  const key = Buffer.allocUnsafe(10);
  key.writeUInt16BE(chain);
  key.writeUInt16BE(target, 2);
  key.writeUIntBE(number, 4, 6);
  return key as OutgoingKey;
}

/** The range of all messages from a chain to another. */
export function outgoingRange(chain: number, target: number): { readonly start: Buffer; readonly end: Buffer } {
  return { start: outgoingKey(chain, target, 0), end: outgoingKey(chain, target, MESSAGE_NUMBER_MAX) };
}

export function targetIn(key: OutgoingKey): number {
  return key.readUInt16BE(2);
}

/** chain (2), begin of a slot in seconds (5), which is no later than a block's time */
export function slotKey(chain: number, start_s: number): SlotKey {
  const key = Buffer.allocUnsafe(7);
  key.writeUInt16BE(chain);
  key.writeUIntBE(start_s, 2, 5);
  return key as SlotKey;
}

export function startIn(key: SlotKey): number {
  return key.readUIntBE(2, 5);
}

/** chain (2), height (5), place within the block (4) */
export function placeKey(chain: number, height: number, place: number): PlaceKey {
  const key = Buffer.allocUnsafe(11);
  key.writeUInt16BE(chain);
  key.writeUIntBE(height, 2, 5);
  key.writeUInt32BE(place, 7);
  return key as PlaceKey;
}

export function placeIn(key: PlaceKey): number {
  return key.readUInt32BE(7);
}

/** The range of all keys of the chain's contract state that begin with this text. */
export function prefixRange(chain: number, prefix: string): { readonly start: Buffer; readonly end: Buffer } {
  const start = stateKey(chain, prefix);
  // No UTF-8 has this byte.
  return { start, end: Buffer.concat([start, Buffer.of(0xff)]) };
}

/** The least key that stands behind this one. */
export function keyBehind(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.of(0)]);
}

/** The key of the chain's contract state. */
export function stateKeyIn(key: StateKey): string {
  return key.toString("utf8", 2);
}

export function chainIn(key: KeyOfChain): number {
  return key.readUInt16BE(0);
}

export function heightIn(key: BlockKey | PlaceKey): number {
  return key.readUIntBE(2, 5);
}

/** The id in such a key, in memory of its own. */
export function idIn(key: IdKey | NumberKey | HashKey | OriginKey): Uint8Array {
  return Uint8Array.from(key.subarray(2, 10));
}

export function numberIn(key: NumberKey | HashKey): number {
  return (key[10] ?? 0) * 2 ** 48 + key.readUIntBE(11, 6);
}

/** Longer than any key. */
const behindAll = Buffer.alloc(320, 0xff);

/** The range of all keys of a chain. */
export function chainRange(chain: number): { readonly start: Buffer; readonly end: Buffer } {
  return { start: chainKey(chain), end: chain === SERVICE_MAX ? behindAll : chainKey(chain + 1) };
}

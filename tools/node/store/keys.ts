// Keys of the store's tables: fixed-width big-endian fields, so that rows stand in the order of their numbers.

import { SERVICE_MAX } from "../../../src/wire/bounds.js";

/** chain (2 bytes) */
export function chainKey(chain: number): Buffer {
  const key = Buffer.allocUnsafe(2);
  key.writeUInt16BE(chain);
  return key;
}

/** chain (2), height (5) */
export function blockKey(chain: number, height: number): Buffer {
  const key = Buffer.allocUnsafe(7);
  key.writeUInt16BE(chain);
  key.writeUIntBE(height, 2, 5);
  return key;
}

/** chain (2), id of a meter or node (8) */
export function idKey(chain: number, id: Uint8Array): Buffer {
  const key = Buffer.allocUnsafe(10);
  key.writeUInt16BE(chain);
  key.set(id, 2);
  return key;
}

/** chain (2), id (8), number (7, of 53 bits): a record's sequence number, or a temporary block's */
export function numberKey(chain: number, id: Uint8Array, number: number): Buffer {
  const key = Buffer.allocUnsafe(17);
  key.writeUInt16BE(chain);
  key.set(id, 2);
  key[10] = Math.floor(number / 2 ** 48);
  key.writeUIntBE(number % 2 ** 48, 11, 6);
  return key;
}

/** The number in such a key. */
export function numberIn(key: Buffer): number {
  return (key[10] ?? 0) * 2 ** 48 + key.readUIntBE(11, 6);
}

/** Longer than any key. */
const behindAll = Buffer.alloc(32, 0xff);

/** The range of all keys of a chain. */
export function chainRange(chain: number): { readonly start: Buffer; readonly end: Buffer } {
  return { start: chainKey(chain), end: chain === SERVICE_MAX ? behindAll : chainKey(chain + 1) };
}

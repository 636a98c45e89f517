// Finds the record hash in an encoded receipt (PROTOCOL.md) without decoding the rest: thousands
// arrive in a second, and those that are checked in full are a sample.

/** CBOR major types (RFC 8949 section 3.1) that stand before the hash. */
const UINT = 0;
const TEXT = 3;
const HASH_HEAD = 0x5820;

/** Offset of the 32 bytes; undefined where the bytes do not begin as a receipt does. */
export function recordHashOffset(receipt: Buffer): number | undefined {
  if (receipt[0] !== 0x8a || receipt[1] !== 1) return undefined;
  const network = skipHead(receipt, 2, TEXT);
  const chain = network && skipHead(receipt, network, UINT);
  const height = chain && skipHead(receipt, chain, UINT);
  if (!height || receipt.length < height + 34 || receipt.readUInt16BE(height) !== HASH_HEAD) return undefined;
  return height + 2;
}

/**
 * Offset behind the item that begins at `offset`; undefined where it is of another major type or
 * not whole.
 */
function skipHead(bytes: Buffer, offset: number, major: number): number | undefined {
  const initial = bytes[offset];
  if (initial === undefined || initial >> 5 !== major) return undefined;
  const argument = initial & 0x1f;
  if (major === TEXT) return argument < 24 ? offset + 1 + argument : offset + 2 + (bytes[offset + 1] ?? 0);
  return argument < 24 ? offset + 1 : argument < 28 ? offset + 1 + 2 ** (argument - 24) : undefined;
}

// Integers of a few bytes, most significant first, as SML and DLMS encode them.

/** The integer of `width` bytes (1 to 8) at `start`: a bigint only where it lies beyond the safe integers. */
export function bigEndian(bytes: Uint8Array, start: number, width: number, signed: boolean): number | bigint {
  const lowStart = width > 4 ? start + width - 4 : start;
  const low = unsigned(bytes, lowStart, start + width);
  if (width <= 4) return signed && bytes[start]! >= 0x80 ? low - 256 ** width : low;
  let high = unsigned(bytes, start, lowStart);
  if (signed && bytes[start]! >= 0x80) high -= 256 ** (width - 4);
  const value = high * 2 ** 32 + low;
  return Number.isSafeInteger(value) ? value : BigInt(high) * BigInt(2 ** 32) + BigInt(low);
}

function unsigned(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let index = start; index < end; index++) value = value * 256 + bytes[index]!;
  return value;
}

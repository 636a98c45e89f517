// Byte strings: comparison, hex and joining, for engines that have no Buffer.

const digits = "0123456789abcdef";

export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index]!;
    text += digits[byte >> 4]! + digits[byte & 15]!;
  }
  return text;
}

/** Bytes of a hex string in lower or upper case; undefined where it is not one. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let index = 0; index < bytes.length; index += 1) {
    const high = hexValue(text.charCodeAt(2 * index));
    const low = hexValue(text.charCodeAt(2 * index + 1));
    if (high < 0 || low < 0) return undefined;
    bytes[index] = (high << 4) | low;
  }
  return bytes;
}

function hexValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  if (code >= 97 && code <= 102) return code - 87;
  if (code >= 65 && code <= 70) return code - 55;
  return -1;
}

export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index += 1) if (left[index] !== right[index]) return false;
  return true;
}

/** Whether `part` stands in `bytes` at an offset; nothing is allocated. */
export function standsAt(bytes: Uint8Array, offset: number, part: Uint8Array): boolean {
  if (offset + part.length > bytes.length) return false;
  for (let index = 0; index < part.length; index += 1) if (bytes[offset + index] !== part[index]) return false;
  return true;
}

/** Bytewise lexicographic order, a prefix first: negative, zero or positive. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const shorter = Math.min(left.length, right.length);
  for (let index = 0; index < shorter; index += 1) {
    const difference = left[index]! - right[index]!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

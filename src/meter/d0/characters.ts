// The characters that frame a D0 readout (IEC 62056-21, section 5), and what may stand where.

export const stx = 0x02;
export const etx = 0x03;
export const ack = 0x06;
export const slash = 0x2f;
export const question = 0x3f;
export const exclamation = 0x21;
export const carriageReturn = 0x0d;
export const lineFeed = 0x0a;
export const space = 0x20;
export const close = 0x29;

/** The line without `/` and line end, printable characters alone. */
export function textBefore(buffer: Uint8Array, length: number): string {
  let text = "";
  for (let index = 1; index < length; index++) {
    const byte = buffer[index]!;
    if (byte === carriageReturn || byte === lineFeed) continue;
    text += byte >= 0x20 && byte <= 0x7e ? String.fromCharCode(byte) : "?";
  }
  return text;
}

/** What a data set may begin with: a digit, or one of the letters C, F, L and P. */
export function isIdentifier(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || byte === 0x43 || byte === 0x46 || byte === 0x4c || byte === 0x50;
}

/** Whether the byte is a hex digit. */
export function isHex(byte: number): boolean {
  const lower = byte | 0x20;
  return (byte >= 0x30 && byte <= 0x39) || (lower >= 0x61 && lower <= 0x66);
}

/** An ETX, or one with a bit changed. */
export function isNearEtx(byte: number): boolean {
  const difference = byte ^ etx;
  return (difference & (difference - 1)) === 0;
}

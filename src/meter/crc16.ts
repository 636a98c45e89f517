// The 16-bit CRCs of meters, all reflected: ARC (DSMR P1 5.0.2, section 5.2), MODBUS (Modbus over serial line 1.02, section 2.5.1.2),
// X-25 (SML 1.04; HDLC, ISO/IEC 13239) and KERMIT (some SML meters). Each differs from its neighbour in start value or polynomial.

/** One step a nibble: sixteen words instead of 256, for a device with little memory. Polynomial 0x8005. */
const nibbles8005: readonly number[] = [
  0x0000, 0xcc01, 0xd801, 0x1400, 0xf001, 0x3c00, 0x2800, 0xe401, 0xa001, 0x6c00, 0x7800, 0xb401, 0x5000, 0x9c01,
  0x8801, 0x4400,
];
/** Polynomial 0x1021. */
const nibbles1021: readonly number[] = [
  0x0000, 0x1081, 0x2102, 0x3183, 0x4204, 0x5285, 0x6306, 0x7387, 0x8408, 0x9489, 0xa50a, 0xb58b, 0xc60c, 0xd68d,
  0xe70e, 0xf78f,
];

/** CRC-16/ARC of `bytes` from `start` to before `end`. */
export function crc16Arc(bytes: Uint8Array, start: number, end: number): number {
  return remainder(nibbles8005, 0, bytes, start, end);
}

/** CRC-16/MODBUS of `bytes` from `start` to before `end`; sent low byte first. */
export function crc16Modbus(bytes: Uint8Array, start: number, end: number): number {
  return remainder(nibbles8005, 0xffff, bytes, start, end);
}

/** CRC-16/X-25 of `bytes` from `start` to before `end`; sent low byte first. */
export function crc16X25(bytes: Uint8Array, start: number, end: number): number {
  return remainder(nibbles1021, 0xffff, bytes, start, end) ^ 0xffff;
}

/** CRC-16/KERMIT of `bytes` from `start` to before `end`. */
export function crc16Kermit(bytes: Uint8Array, start: number, end: number): number {
  return remainder(nibbles1021, 0, bytes, start, end);
}

function remainder(nibbles: readonly number[], initial: number, bytes: Uint8Array, start: number, end: number): number {
  let crc = initial;
  for (let index = start; index < end; index++) {
    crc ^= bytes[index]!;
    crc = (crc >> 4) ^ nibbles[crc & 15]!;
    crc = (crc >> 4) ^ nibbles[crc & 15]!;
  }
  return crc;
}

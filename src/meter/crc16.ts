// CRC-16/ARC: polynomial 0x8005 reflected (0xA001), initial value 0, no final XOR. DSMR P1 5.0.2, section 5.2.

/** One step a nibble: sixteen words instead of 256, for a device with little memory. */
const nibbles: readonly number[] = [
  0x0000, 0xcc01, 0xd801, 0x1400, 0xf001, 0x3c00, 0x2800, 0xe401, 0xa001, 0x6c00, 0x7800, 0xb401, 0x5000, 0x9c01,
  0x8801, 0x4400,
];

/** CRC-16/ARC of `bytes` from `start` to before `end`. */
export function crc16Arc(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0;
  for (let index = start; index < end; index++) {
    crc ^= bytes[index]!;
    crc = (crc >> 4) ^ nibbles[crc & 15]!;
    crc = (crc >> 4) ^ nibbles[crc & 15]!;
  }
  return crc;
}

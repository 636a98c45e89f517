// Checksums of emulated meters, bit by bit as their standards word them: the emulators share no code with the readers that they test.

/** CRC-16 with a reflected polynomial: X-25 has 0x8408, 0xFFFF and 0xFFFF, KERMIT 0x8408, 0 and 0, MODBUS 0xA001, 0xFFFF and 0. */
export function crcOf(bytes: Uint8Array, polynomial: number, initial: number, final: number): number {
  let crc = initial;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
  }
  return crc ^ final;
}

/** CRC-16/X-25. */
export function x25Of(bytes: Uint8Array): number {
  return crcOf(bytes, 0x8408, 0xffff, 0xffff);
}

/** CRC-16/KERMIT. */
export function kermitOf(bytes: Uint8Array): number {
  return crcOf(bytes, 0x8408, 0, 0);
}

/** CRC-16/MODBUS. */
export function modbusCrcOf(bytes: Uint8Array): number {
  return crcOf(bytes, 0xa001, 0xffff, 0);
}

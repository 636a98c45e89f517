// The checks of a D0 readout: the block check character behind ETX (IEC 62056-21, section 5.2), and the CRC that P1 telegrams state
// behind `!`.

import { crc16Arc } from "../crc16.js";
import { hex4 } from "../hex.js";
import { isHex } from "./characters.js";

/** What is wrong with the block check character of what lies between the STX and `end`; undefined where it is right. */
export function checkFault(buffer: Uint8Array, stxAt: number, end: number, stated: number): string | undefined {
  let computed = 0;
  for (let index = stxAt + 1; index < end; index++) computed ^= buffer[index]!;
  if (computed === stated) return undefined;
  return `the block check character is 0x${stated.toString(16)}, the block gives 0x${computed.toString(16)}`;
}

/** The CRC behind `!`, empty where there is none. */
export function crcDigits(buffer: Uint8Array, start: number, end: number): string {
  let digits = "";
  for (let index = start; index < end && isHex(buffer[index]!); index++) digits += String.fromCharCode(buffer[index]!);
  return digits;
}

/** `1-3:0.2.8(`, with which a DSMR telegram begins behind its header. */
const versionCode = Uint8Array.of(0x31, 0x2d, 0x33, 0x3a, 0x30, 0x2e, 0x32, 0x2e, 0x38, 0x28);

/** Whether a block is a whole DSMR telegram but for its header, as some logs are. */
export function beginsWithVersion(buffer: Uint8Array, blockAt: number): boolean {
  return versionCode.every((byte, index) => buffer[blockAt + index] === byte);
}

/** What is wrong with the CRC: it covers the identification too, and cannot be checked without one. Undefined where it is right. */
export function crcFault(
  buffer: Uint8Array,
  exclamationAt: number,
  digits: string,
  identification: string,
): string | undefined {
  if (identification === "") return `the readout states the CRC ${digits}, the beginning that it covers is missing`;
  const computed = crc16Arc(buffer, 0, exclamationAt + 1);
  if (Number.parseInt(digits, 16) === computed) return undefined;
  return `the readout states the CRC ${digits}, its bytes give ${hex4(computed)}`;
}

// Puts DLMS messages of an emulated meter into frames: HDLC (IEC 62056-46) in one or several segments, M-Bus long frames (EN 13757-2 and
// -1), general block transfer and general-glo-ciphering (IEC 62056-5-3). AES-128-GCM is node:crypto's.

import { createCipheriv } from "node:crypto";
import { x25Of } from "./checksums.js";

export interface Ciphering {
  readonly systemTitle: Uint8Array;
  readonly counter: number;
  readonly encryption: Uint8Array;
  /** Without it the message is encrypted alone (security byte 0x20). */
  readonly authentication?: Uint8Array;
}

/** The message in HDLC frames; `segmentBytes` is the most of it in one. */
export function hdlcFrames(apdu: Uint8Array, segmentBytes = 2000): Uint8Array[] {
  const message = Uint8Array.of(0xe6, 0xe7, 0, ...apdu);
  return parted(message, segmentBytes).map((part, index, parts) => hdlcFrame(part, index < parts.length - 1));
}

/** One HDLC frame around an information field. */
export function hdlcFrame(information: Uint8Array, segmented = false): Uint8Array {
  const addresses = [0xce, 0xff, 0x03, 0x13];
  const length = 2 + addresses.length + 2 + information.length + 2;
  const header = Uint8Array.of(0xa0 | (segmented ? 8 : 0) | (length >> 8), length & 0xff, ...addresses);
  const checked = Uint8Array.of(...header, ...lowFirst(x25Of(header)), ...information);
  return Uint8Array.of(0x7e, ...checked, ...lowFirst(x25Of(checked)), 0x7e);
}

/** The message in M-Bus long frames of at most 245 bytes of it each; of up to 253, as some meters send them, the length is modulo 256. */
export function mbusFrames(apdu: Uint8Array, partBytes = 245): Uint8Array[] {
  return parted(apdu, partBytes).map((part, index, parts) => {
    const control = (index & 15) | (index === parts.length - 1 ? 0x10 : 0);
    const body = [0x53, 0xff, control, 1, 0x67, ...part];
    const sum = body.reduce((total, byte) => total + byte, 0) & 0xff;
    return Uint8Array.of(0x68, body.length & 0xff, body.length & 0xff, 0x68, ...body, sum, 0x16);
  });
}

/** The blocks of a general block transfer. */
export function blocks(apdu: Uint8Array, blockBytes: number): Uint8Array[] {
  return parted(apdu, blockBytes).map((part, index, parts) => {
    const control = 0x40 | (index === parts.length - 1 ? 0x80 : 0);
    const number = index + 1;
    return Uint8Array.of(0xe0, control, number >> 8, number & 0xff, 0, 0, ...axdrLength(part.length), ...part);
  });
}

/** The message ciphered; twelve bytes of tag where it is authenticated. */
export function ciphered(plaintext: Uint8Array, options: Ciphering): Uint8Array {
  const { systemTitle, counter, encryption, authentication } = options;
  const security = authentication === undefined ? 0x20 : 0x30;
  const counterBytes = Buffer.alloc(4);
  counterBytes.writeUInt32BE(counter);
  const cipher = createCipheriv("aes-128-gcm", encryption, Buffer.concat([systemTitle, counterBytes]), {
    authTagLength: 12,
  });
  if (authentication !== undefined) cipher.setAAD(Buffer.from([security, ...authentication]));
  const text = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const tag = authentication === undefined ? Buffer.alloc(0) : cipher.getAuthTag();
  const length = 5 + text.length + tag.length;
  return Uint8Array.from(
    Buffer.concat([
      Buffer.from([0xdb, systemTitle.length, ...systemTitle, ...axdrLength(length), security]),
      counterBytes,
      text,
      tag,
    ]),
  );
}

function axdrLength(length: number): number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
}

function parted(bytes: Uint8Array, size: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; start += size) parts.push(bytes.slice(start, start + size));
  return parts;
}

function lowFirst(crc: number): number[] {
  return [crc & 0xff, crc >> 8];
}

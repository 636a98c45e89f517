// The block header: 80 bytes in Bitcoin's layout, little-endian, hashed with one SHA-256 and shown in byte order.

import { compareBytes } from "./bytes.js";
import { WireError } from "./error.js";
import { sha256 } from "./hash.js";

export const HEADER_BYTES = 80;
export const HEADER_VERSION = 1;

export interface Header {
  readonly version: number;
  /** hash of the header before it; the genesis hash at height 1 */
  readonly previous: Uint8Array;
  readonly merkleRoot: Uint8Array;
  /** UTC seconds */
  readonly time_s: number;
  /** difficulty in compact form; 0 means any nonce */
  readonly target: number;
  readonly nonce: number;
}

export function encodeHeader(header: Header): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, header.version, true);
  bytes.set(header.previous, 4);
  bytes.set(header.merkleRoot, 36);
  view.setUint32(68, header.time_s, true);
  view.setUint32(72, header.target, true);
  view.setUint32(76, header.nonce, true);
  return bytes;
}

export function decodeHeader(bytes: Uint8Array): Header {
  if (bytes.length !== HEADER_BYTES)
    throw new WireError("shape", `header must have ${HEADER_BYTES} bytes, not ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const version = view.getUint32(0, true);
  if (version !== HEADER_VERSION) throw new WireError("unsupported", `header version ${version} is not supported`);
  return {
    version,
    previous: bytes.slice(4, 36),
    merkleRoot: bytes.slice(36, 68),
    time_s: view.getUint32(68, true),
    target: view.getUint32(72, true),
    nonce: view.getUint32(76, true),
  };
}

/** A header's hash, which names the block. */
export function headerHash(header: Uint8Array): Uint8Array {
  return sha256(header);
}

/** Whether a header hash, read as a big-endian number, is not above the compact target; any is where the target is 0. */
export function meetsTarget(hash: Uint8Array, target: number): boolean {
  return target === 0 || compareBytes(hash, expandTarget(target)) <= 0;
}

/** Whether a compact target is 0 or a positive number of at most 256 bits without a truncated digit, so that mining can end. */
export function isTarget(target: number): boolean {
  if (target === 0) return true;
  const exponent = target >>> 24;
  const mantissa = target & 0xffffff;
  return exponent >= 3 && exponent <= 32 && mantissa > 0 && mantissa < 0x800000;
}

/** The 32-byte big-endian number of a compact target: mantissa × 256^(exponent-3). */
function expandTarget(target: number): Uint8Array {
  const exponent = target >>> 24;
  const expanded = new Uint8Array(32);
  for (let index = 0; index < 3; index += 1) {
    const position = 32 - exponent + index;
    if (position >= 0 && position < 32) expanded[position] = (target >>> (8 * (2 - index))) & 0xff;
  }
  return expanded;
}

/** The header with the first nonce that meets its target; throws where 2^32 nonces have none. */
export function mineHeader(header: Header): Uint8Array {
  const bytes = encodeHeader(header);
  const view = new DataView(bytes.buffer);
  for (let nonce = 0; nonce <= 0xffffffff; nonce += 1) {
    view.setUint32(76, nonce, true);
    if (meetsTarget(headerHash(bytes), header.target)) return bytes;
  }
  throw new WireError("unproven", `no nonce meets the target ${header.target.toString(16)}`);
}

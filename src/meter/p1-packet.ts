// Takes encrypted packets out of the stream of a P1 port (Luxembourg E-Meter P1 specification, section 3.2.5; also the Danish and
// Swedish customer ports): general-glo-ciphering around a whole telegram. All other bytes pass through unchanged.

import { generalGloCiphering, layoutOf, titleBytes } from "./cipher.js";

/** What the stream holds, in its order. */
export type P1Piece =
  | { readonly kind: "plain"; readonly bytes: Uint8Array }
  | { readonly kind: "packet"; readonly bytes: Uint8Array }
  | { readonly kind: "refused"; readonly reason: "truncated" | "oversized"; readonly detail: string };

export interface P1Splitter {
  push(bytes: Uint8Array, uptime_ms: number): P1Piece[];
  /** Refuses a packet that is pending. */
  end(): P1Piece[];
}

/** A telegram of 8 kB and its tag. */
const packetBytesMax = 8192 + 64;
/** Tag, length and title, two or three bytes of length, security byte: below this a header may still be incomplete. */
const headerBytesMax = 2 + titleBytes + 3 + 1;
/** A port sends a packet without a pause: where it stops for so long, and what follows looks like a packet, it was cut off. */
const pause_ms = 2000;

/** A splitter with nothing pending. It never throws, and holds at most one packet. */
export function createP1Splitter(): P1Splitter {
  const header = new Uint8Array(headerBytesMax);
  let headerLength = 0;
  let packet: Uint8Array | undefined;
  let length = 0;
  let last_ms = 0;

  const take = (byte: number, plain: number[], pieces: P1Piece[]): void => {
    if (packet !== undefined) {
      packet[length++] = byte;
      if (length < packet.length) return;
      flush(plain, pieces);
      pieces.push({ kind: "packet", bytes: packet });
      packet = undefined;
    } else if (headerLength === 0 && byte !== generalGloCiphering) plain.push(byte);
    else {
      header[headerLength++] = byte;
      judgeHeader(plain, pieces);
    }
  };

  /** The header's bytes become a packet, wait for more, or are handed on up to the next one that may begin a packet. */
  const judgeHeader = (plain: number[], pieces: P1Piece[]): void => {
    while (headerLength > 0) {
      const layout = layoutOf(header, 0, headerLength);
      if (layout === undefined) {
        if (headerLength < 2 || (header[1] === titleBytes && headerLength < headerBytesMax)) return;
      } else if (header[layout.security] === 0x20 || header[layout.security] === 0x30) {
        begin(layout.end, plain, pieces);
        return;
      }
      let next = 1;
      while (next < headerLength && header[next] !== generalGloCiphering) next++;
      for (let index = 0; index < next; index++) plain.push(header[index]!);
      header.copyWithin(0, next, headerLength);
      headerLength -= next;
    }
  };

  const begin = (end: number, plain: number[], pieces: P1Piece[]): void => {
    if (end > packetBytesMax) {
      flush(plain, pieces);
      const detail = `a packet of ${end} bytes is announced, more than ${packetBytesMax}`;
      pieces.push({ kind: "refused", reason: "oversized", detail });
    } else {
      packet = new Uint8Array(end);
      packet.set(header.subarray(0, headerLength));
      length = headerLength;
    }
    headerLength = 0;
  };

  const abandon = (plain: number[], pieces: P1Piece[]): void => {
    for (let index = 0; index < headerLength; index++) plain.push(header[index]!);
    headerLength = 0;
    flush(plain, pieces);
    if (packet === undefined) return;
    const detail = `${length} of a packet's ${packet.length} bytes came`;
    pieces.push({ kind: "refused", reason: "truncated", detail });
    packet = undefined;
  };

  return {
    push(bytes, uptime_ms) {
      const pieces: P1Piece[] = [];
      const plain: number[] = [];
      if (uptime_ms - last_ms > pause_ms && bytes[0] === generalGloCiphering) abandon(plain, pieces);
      if (bytes.length > 0) last_ms = uptime_ms;
      // Most ports are not encrypted: their bytes pass in one piece.
      if (packet === undefined && headerLength === 0 && !bytes.includes(generalGloCiphering)) {
        if (bytes.length > 0) pieces.push({ kind: "plain", bytes });
        return pieces;
      }
      for (let index = 0; index < bytes.length; index++) take(bytes[index]!, plain, pieces);
      flush(plain, pieces);
      return pieces;
    },
    end() {
      const pieces: P1Piece[] = [];
      abandon([], pieces);
      return pieces;
    },
  };
}

function flush(plain: number[], pieces: P1Piece[]): void {
  if (plain.length === 0) return;
  pieces.push({ kind: "plain", bytes: Uint8Array.from(plain) });
  plain.length = 0;
}

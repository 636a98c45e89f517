// Takes encrypted packets out of the stream of a P1 port (Luxembourg E-Meter P1 specification, section 3.2.5; also the Danish and
// Swedish customer ports): general-glo-ciphering around a whole telegram. All other bytes pass through unchanged.

import { generalGloCiphering, layoutOf, titleBytes } from "../cipher.js";

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
  return new PacketSplitter();
}

/** A class where closures would do: XS keeps a method once, in ROM, but a closure with all that it uses in RAM. */
class PacketSplitter implements P1Splitter {
  private readonly header = new Uint8Array(headerBytesMax);
  private headerLength = 0;
  private packet: Uint8Array | undefined = undefined;
  private length = 0;
  private last_ms = 0;

  push(bytes: Uint8Array, uptime_ms: number): P1Piece[] {
    const pieces: P1Piece[] = [];
    const plain: number[] = [];
    if (uptime_ms - this.last_ms > pause_ms && bytes[0] === generalGloCiphering) this.abandon(plain, pieces);
    if (bytes.length > 0) this.last_ms = uptime_ms;
    // Most ports are not encrypted: their bytes pass in one piece.
    if (this.packet === undefined && this.headerLength === 0 && !bytes.includes(generalGloCiphering)) {
      if (bytes.length > 0) pieces.push({ kind: "plain", bytes });
      return pieces;
    }
    for (let index = 0; index < bytes.length; index++) this.take(bytes[index]!, plain, pieces);
    flush(plain, pieces);
    return pieces;
  }

  end(): P1Piece[] {
    const pieces: P1Piece[] = [];
    this.abandon([], pieces);
    return pieces;
  }

  private take(byte: number, plain: number[], pieces: P1Piece[]): void {
    if (this.packet !== undefined) {
      this.packet[this.length++] = byte;
      if (this.length < this.packet.length) return;
      flush(plain, pieces);
      pieces.push({ kind: "packet", bytes: this.packet });
      this.packet = undefined;
    } else if (this.headerLength === 0 && byte !== generalGloCiphering) plain.push(byte);
    else {
      this.header[this.headerLength++] = byte;
      this.judgeHeader(plain, pieces);
    }
  }

  /** The header's bytes become a packet, wait for more, or are handed on up to the next one that may begin a packet. */
  private judgeHeader(plain: number[], pieces: P1Piece[]): void {
    const { header } = this;
    while (this.headerLength > 0) {
      const layout = layoutOf(header, 0, this.headerLength);
      if (layout === undefined) {
        if (this.headerLength < 2 || (header[1] === titleBytes && this.headerLength < headerBytesMax)) return;
      } else if (header[layout.security] === 0x20 || header[layout.security] === 0x30) {
        this.begin(layout.end, plain, pieces);
        return;
      }
      let next = 1;
      while (next < this.headerLength && header[next] !== generalGloCiphering) next++;
      for (let index = 0; index < next; index++) plain.push(header[index]!);
      header.copyWithin(0, next, this.headerLength);
      this.headerLength -= next;
    }
  }

  private begin(end: number, plain: number[], pieces: P1Piece[]): void {
    if (end > packetBytesMax) {
      flush(plain, pieces);
      const detail = `a packet of ${end} bytes is announced, more than ${packetBytesMax}`;
      pieces.push({ kind: "refused", reason: "oversized", detail });
    } else {
      this.packet = new Uint8Array(end);
      this.packet.set(this.header.subarray(0, this.headerLength));
      this.length = this.headerLength;
    }
    this.headerLength = 0;
  }

  private abandon(plain: number[], pieces: P1Piece[]): void {
    for (let index = 0; index < this.headerLength; index++) plain.push(this.header[index]!);
    this.headerLength = 0;
    flush(plain, pieces);
    if (this.packet === undefined) return;
    const detail = `${this.length} of a packet's ${this.packet.length} bytes came`;
    pieces.push({ kind: "refused", reason: "truncated", detail });
    this.packet = undefined;
  }
}

function flush(plain: number[], pieces: P1Piece[]): void {
  if (plain.length === 0) return;
  pieces.push({ kind: "plain", bytes: Uint8Array.from(plain) });
  plain.length = 0;
}

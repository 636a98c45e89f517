// Finds the frames of a French meter's customer port in a stream of bytes (Enedis-NOI-CPT_54E, section 5.2): STX, groups, ETX. EOT, or
// another STX, says that the meter broke off.

/** One frame, not checked yet, or why there is none. */
export type TicCut =
  | { readonly kind: "frame"; readonly bytes: Uint8Array }
  | { readonly kind: "refused"; readonly reason: "truncated" | "oversized"; readonly detail: string };

const stx = 0x02;
const etx = 0x03;
const eot = 0x04;
/** All groups of a three-phase producer have some 1.7 kB. */
const frameBytesMax = 3072;

/** A framer with a buffer of one frame. */
export class TicFramer {
  noiseBytes = 0;
  private readonly buffer = new Uint8Array(frameBytesMax);
  /** 0 outside of a frame. */
  private length = 0;

  push(bytes: Uint8Array): TicCut[] {
    const cuts: TicCut[] = [];
    for (let index = 0; index < bytes.length; index++) this.take(bytes[index]!, cuts);
    return cuts;
  }

  /** Nothing more comes. */
  end(): TicCut[] {
    const cuts: TicCut[] = [];
    this.abandon("no end of frame", cuts);
    return cuts;
  }

  private take(byte: number, cuts: TicCut[]): void {
    if (byte === stx) {
      this.abandon("another frame begins", cuts);
      this.buffer[0] = stx;
      this.length = 1;
    } else if (this.length === 0) this.noiseBytes++;
    else if (byte === eot) this.abandon("the meter broke off", cuts);
    else if (this.length === frameBytesMax) {
      this.length = 0;
      cuts.push({ kind: "refused", reason: "oversized", detail: `no end of frame after ${frameBytesMax} bytes` });
    } else {
      this.buffer[this.length++] = byte;
      if (byte !== etx) return;
      cuts.push({ kind: "frame", bytes: this.buffer.slice(0, this.length) });
      this.length = 0;
    }
  }

  private abandon(why: string, cuts: TicCut[]): void {
    const { length } = this;
    this.length = 0;
    if (length > 1) cuts.push({ kind: "refused", reason: "truncated", detail: `${why} after ${length} bytes` });
  }
}

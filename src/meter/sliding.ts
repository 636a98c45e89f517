// The buffer of a framer whose frames state their length: bytes come in, the oldest are judged, and what is no frame is passed over one
// byte at a time, so that a good frame behind a broken one is found.

/**
 * Judges the `length` bytes in the buffer, the oldest first. A positive answer is how many bytes it takes to judge further, more than
 * there are; a negative one is how many bytes to drop: one where they begin no frame, all of a frame that was understood. Cuts go to
 * `cuts`.
 */
export type Examine<Cut> = (buffer: Uint8Array, length: number, cuts: Cut[]) => number;

export interface SlidingFramer<Cut> {
  push(bytes: Uint8Array): Cut[];
  /** Nothing more comes: `truncated` is given the length of what is pending, once; frames behind it are still found. */
  end(truncated: (length: number) => Cut): Cut[];
  /** Bytes so far that began no frame. */
  readonly noiseBytes: number;
}

/**
 * A framer with an empty buffer of the longest frame's size; `examine` never asks for more than that. `idle` is a byte that is no
 * noise between frames.
 */
export function createSlidingFramer<Cut>(
  frameBytesMax: number,
  examine: Examine<Cut>,
  idle?: number,
): SlidingFramer<Cut> {
  const buffer = new Uint8Array(frameBytesMax);
  let length = 0;
  let needed = 1;
  let noiseBytes = 0;

  const drop = (count: number): void => {
    buffer.copyWithin(0, count, length);
    length -= count;
  };

  /** Every turn drops a byte or ends. */
  const judge = (cuts: Cut[]): void => {
    while (length >= needed) {
      const before = cuts.length;
      const verdict = examine(buffer, length, cuts);
      needed = Math.max(verdict, 1);
      if (verdict >= 0) return;
      if (verdict === -1 && cuts.length === before && buffer[0] !== idle) noiseBytes++;
      drop(-verdict);
    }
  };

  return {
    push(bytes) {
      const cuts: Cut[] = [];
      for (let index = 0; index < bytes.length; index++) {
        buffer[length++] = bytes[index]!;
        judge(cuts);
      }
      return cuts;
    },
    end(truncated) {
      const cuts: Cut[] = [];
      if (length > 1) cuts.push(truncated(length));
      while (length > 0) {
        drop(1);
        needed = 1;
        judge(cuts);
      }
      needed = 1;
      return cuts;
    },
    get noiseBytes() {
      return noiseBytes;
    },
  };
}

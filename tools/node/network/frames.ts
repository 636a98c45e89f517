// Length-prefixed frames over a byte stream: uint32 big-endian length, then as many bytes (PROTOCOL.md, links between nodes).
// Pure. What lies whole in a chunk is handed on as a view of it; what spans chunks is copied once, into a buffer of its size.

/** Bytes of the prefix. */
export const FRAME_HEADER_BYTES = 4;

/** Why a stream cannot be read on: nothing after the fault is looked at. */
export type FrameFault = "frame-oversized";

export interface FrameDecoder {
  /**
   * Takes the next bytes of the stream and hands every frame they complete to `onFrame`, in order; `onFrame` answers false
   * to stop reading for good. A frame may be a view of `chunk`. Returns the fault that ended the stream, if one did.
   */
  push(chunk: Uint8Array, onFrame: (frame: Uint8Array) => boolean): FrameFault | undefined;
  /** Sets the largest length that the next header may claim. */
  setLimit(frame_bytes_max: number): void;
  /** Bytes held for the frame that is not complete yet, the part of it that is still to come included. */
  buffered_bytes(): number;
}

/** The prefix of a frame of `length` bytes. Throws a RangeError where it does not fit in 32 bits. */
export function frameHeader(length: number): Uint8Array {
  if (!Number.isInteger(length) || length < 0 || length > 0xffffffff) {
    throw new RangeError(`a frame has 0 to 2^32-1 bytes, not ${length}`);
  }
  return Uint8Array.of(length >>> 24, length >>> 16, length >>> 8, length);
}

/** A decoder that refuses a frame as soon as its header claims more than `frame_bytes_max` bytes. */
export function createFrameDecoder(frame_bytes_max: number): FrameDecoder {
  let limit_bytes = frame_bytes_max;
  let claimed_bytes = 0;
  let headerSeen_bytes = 0;
  let body: Uint8Array | undefined;
  let bodySeen_bytes = 0;
  let ended = false;
  let fault: FrameFault | undefined;

  /** The frame that `chunk` completes from `offset` on, or undefined where it keeps what there is of it. */
  function takeBody(chunk: Uint8Array, offset: number): Uint8Array | undefined {
    const available = chunk.length - offset;
    if (!body) {
      if (available >= claimed_bytes) return chunk.subarray(offset, offset + claimed_bytes);
      if (available === 0) return undefined;
      body = new Uint8Array(claimed_bytes);
      bodySeen_bytes = 0;
    }
    const wanted = Math.min(claimed_bytes - bodySeen_bytes, available);
    body.set(chunk.subarray(offset, offset + wanted), bodySeen_bytes);
    bodySeen_bytes += wanted;
    return bodySeen_bytes === claimed_bytes ? body : undefined;
  }

  function push(chunk: Uint8Array, onFrame: (frame: Uint8Array) => boolean): FrameFault | undefined {
    let offset = 0;
    while (!ended) {
      while (headerSeen_bytes < FRAME_HEADER_BYTES) {
        if (offset === chunk.length) return undefined;
        claimed_bytes = claimed_bytes * 256 + chunk[offset]!;
        headerSeen_bytes += 1;
        offset += 1;
        if (headerSeen_bytes === FRAME_HEADER_BYTES && claimed_bytes > limit_bytes) {
          ended = true;
          fault = "frame-oversized";
          return fault;
        }
      }
      const missing = claimed_bytes - (body ? bodySeen_bytes : 0);
      const frame = takeBody(chunk, offset);
      if (!frame) return undefined;
      offset += missing;
      claimed_bytes = 0;
      headerSeen_bytes = 0;
      body = undefined;
      if (!onFrame(frame)) ended = true;
    }
    return fault;
  }

  return {
    push,
    setLimit(bytes) {
      limit_bytes = bytes;
    },
    buffered_bytes: () => body?.length ?? 0,
  };
}

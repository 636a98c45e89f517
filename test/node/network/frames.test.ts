import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createFrameDecoder, frameHeader } from "../../../tools/node/network/frames.js";

function stream(frames: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(frames.flatMap((frame) => [frameHeader(frame.length), frame]));
}

/** Cuts the bytes at the given places, which are taken modulo the length. */
function split(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((left, right) => left - right);
  const bounds = [0, ...places, bytes.length];
  return bounds.slice(1).map((end, index) => bytes.slice(bounds[index], end));
}

test("returns the frames that were sent, however the stream is cut", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 }),
      fc.array(fc.nat(5000), { maxLength: 40 }),
      (frames, cuts) => {
        const decoder = createFrameDecoder(300);
        const received: Uint8Array[] = [];
        for (const chunk of split(stream(frames), cuts)) {
          const fault = decoder.push(chunk, (frame) => received.push(frame.slice()) > 0);
          assert.equal(fault, undefined);
          assert.ok(decoder.buffered_bytes() <= 300);
        }
        assert.deepEqual(
          received.map((frame) => [...frame]),
          frames.map((frame) => [...frame]),
        );
        assert.equal(decoder.buffered_bytes(), 0);
      },
    ),
  );
});

test("never throws or holds more than the limit, whatever bytes come", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 30 }), (chunks) => {
      const decoder = createFrameDecoder(1000);
      for (const chunk of chunks) {
        decoder.push(chunk, (frame) => frame.length <= 1000);
        assert.ok(decoder.buffered_bytes() <= 1000);
      }
    }),
  );
});

test("hands on a frame that lies whole in a chunk without copying it", () => {
  const chunk = stream([Uint8Array.of(1, 2, 3)]);
  createFrameDecoder(16).push(chunk, (frame) => {
    assert.equal(frame.buffer, chunk.buffer);
    return true;
  });
});

test("refuses a frame at its header when it claims more than the limit, and stays refused", () => {
  const decoder = createFrameDecoder(64);
  assert.equal(
    decoder.push(frameHeader(256 * 1024 * 1024), () => true),
    "frame-oversized",
  );
  assert.equal(decoder.buffered_bytes(), 0);
  const received: Uint8Array[] = [];
  assert.equal(
    decoder.push(stream([Uint8Array.of(1)]), (frame) => received.push(frame) > 0),
    "frame-oversized",
  );
  assert.equal(received.length, 0);
});

test("a limit set while a frame is handled holds for the next frame of the same chunk", () => {
  const decoder = createFrameDecoder(4);
  const lengths: number[] = [];
  const fault = decoder.push(stream([new Uint8Array(4), new Uint8Array(100)]), (frame) => {
    lengths.push(frame.length);
    decoder.setLimit(100);
    return true;
  });
  assert.equal(fault, undefined);
  assert.deepEqual(lengths, [4, 100]);
});

test("reads nothing more once the receiver says stop", () => {
  const decoder = createFrameDecoder(16);
  let count = 0;
  const chunk = stream([Uint8Array.of(1), Uint8Array.of(2)]);
  decoder.push(chunk, () => {
    count += 1;
    return false;
  });
  decoder.push(chunk, () => true);
  assert.equal(count, 1);
});

test("a header is four bytes, big-endian, and refuses a length beyond 32 bits", () => {
  assert.deepEqual([...frameHeader(0x01020304)], [1, 2, 3, 4]);
  assert.deepEqual([...frameHeader(0xffffffff)], [255, 255, 255, 255]);
  assert.throws(() => frameHeader(2 ** 32), RangeError);
  assert.throws(() => frameHeader(-1), RangeError);
});

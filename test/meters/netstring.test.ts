import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createNetstringReader, netstring } from "../../tools/meters/netstring.js";

test("writes length, prefix, body and comma", () => {
  assert.equal(netstring(0x3f, Buffer.from("hello")).toString(), "6:?hello,");
  assert.equal(netstring(0x3f, new Uint8Array(0)).toString(), "1:?,");
});

test("reads what was written, however the stream is cut into chunks", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 20 }),
      (bodies, cuts) => {
        const stream = Buffer.concat(bodies.map((body) => netstring(0x3f, body)));
        const got: Uint8Array[] = [];
        const read = createNetstringReader(400, (message) => got.push(new Uint8Array(message.subarray(1))));
        for (let at = 0, cut = 0; at < stream.length; at += cuts[cut++ % cuts.length]!)
          assert.equal(read(stream.subarray(at, at + cuts[cut % cuts.length]!)), undefined);
        assert.deepEqual(got, bodies);
      },
    ),
  );
});

test("refuses a stream that is no netstring, and a claim beyond the limit before its bytes come", () => {
  for (const [stream, refusal] of [
    ["x", /no length/],
    [":", /at most/],
    ["3:abcd", /no comma/],
    ["401:", /at most 400/],
    ["1234567890", /no length/],
  ] as const) {
    const read = createNetstringReader(400, () => assert.fail("a message"));
    assert.match(read(Buffer.from(stream)) ?? "", refusal, stream);
  }
});

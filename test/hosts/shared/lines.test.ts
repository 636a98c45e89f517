import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  createInput,
  createOutput,
  LINE_BYTES_MAX,
  next,
  OUTPUT_BYTES_MAX,
  put,
  type Typed,
  typed,
  written,
} from "../../../hosts/shared/lines.js";

const utf8 = new TextEncoder();

/** What comes out of bytes that are typed in pieces of this length. */
function linesOf(bytes: Uint8Array, piece = 7): { readonly lines: Typed[]; readonly echo: string } {
  const input = createInput();
  const lines: Typed[] = [];
  let echo = "";
  for (let at = 0; at < bytes.length; at += piece)
    echo += typed(input, bytes.subarray(at, at + piece), (line) => void lines.push(line));
  return { lines, echo };
}

test("lines come out as they were typed, whatever ends them and however the bytes are cut", () => {
  const line = fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 }).filter((text) => !/[\p{Cc}]/u.test(text));
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 8 }),
      fc.constantFrom("\n", "\r", "\r\n"),
      fc.integer({ min: 1, max: 40 }),
      (lines, end, piece) => {
        const bytes = utf8.encode(lines.map((text) => text + end).join(""));
        assert.deepEqual(
          linesOf(bytes, piece).lines,
          lines.map((text) => ({ kind: "line", text: Buffer.from(text).toString() })),
        );
      },
    ),
  );
});

test("any bytes at all are lines of bounded length, and are read as a UTF-8 decoder reads them", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc
      .array(fc.constantFrom(0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80, 0xed, 0xa0, 0xc0, 0x41, 0x0a), { maxLength: 60 })
      .map((list) => Uint8Array.from(list)),
  );
  fc.assert(
    fc.property(bytes, fc.integer({ min: 1, max: 30 }), (given, piece) => {
      const { lines } = linesOf(given, piece);
      for (const each of lines) {
        assert.equal(each.kind, "line");
        if (each.kind === "line") assert.ok(!/\p{Surrogate}/u.test(each.text) && each.text.length <= LINE_BYTES_MAX);
      }
    }),
    { numRuns: 500 },
  );
  const good = "Zähler 😀 €";
  assert.deepEqual(linesOf(utf8.encode(`${good}\n`)).lines, [{ kind: "line", text: good }]);
  assert.deepEqual(linesOf(Uint8Array.of(0x41, 0xed, 0xa0, 0x80, 0xff, 0x0a)).lines, [
    { kind: "line", text: "A\ufffd\ufffd\ufffd\ufffd" },
  ]);
});

test("a line that is too long is dropped whole and said once; the next one is read", () => {
  const bytes = utf8.encode(`${"x".repeat(5 * LINE_BYTES_MAX)}\nstate\n${"y".repeat(LINE_BYTES_MAX)}\n`);
  const { lines } = linesOf(bytes, 1000);
  assert.deepEqual(lines.slice(0, 2), [{ kind: "tooLong" }, { kind: "line", text: "state" }]);
  assert.deepEqual(lines[2], { kind: "line", text: "y".repeat(LINE_BYTES_MAX) });
});

test("backspace takes a character back, escape the line; empty lines are none", () => {
  assert.deepEqual(linesOf(utf8.encode("stats\b\bte\x7fe\r\n\r\n\b\bnonsense\x1bhelp\n")).lines, [
    { kind: "line", text: "state" },
    { kind: "line", text: "help" },
  ]);
  assert.equal(linesOf(utf8.encode("ab\b")).echo, "ab\b \b");
});

test("memory is there only while a line is typed, and no more than a line's", () => {
  const input = createInput();
  const held = (): number => input.bytes?.length ?? 0;
  assert.equal(held(), 0);
  for (let at = 0; at < 100; at += 1) typed(input, new Uint8Array(1000).fill(0x41), () => {});
  assert.ok(held() <= LINE_BYTES_MAX);
  typed(input, Uint8Array.of(0x0a), () => {});
  assert.equal(held(), 0);
});

test("output comes in order and in pieces; what finds no room is counted and nothing before it is lost", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 3000 }), { maxLength: 12 }),
      fc.integer({ min: 1, max: 500 }),
      (pieces, most) => {
        const output = createOutput();
        const expected: number[] = [];
        let lost = 0;
        for (const piece of pieces) {
          if (expected.length + piece.length <= OUTPUT_BYTES_MAX) expected.push(...piece);
          else lost += 1;
          put(output, piece);
        }
        assert.equal(output.lost, lost);
        const seen: number[] = [];
        for (let piece = next(output, most); piece !== undefined; piece = next(output, most)) {
          assert.ok(piece.length <= most);
          seen.push(...piece);
          written(output, piece.length);
        }
        assert.deepEqual(seen, expected);
        assert.equal(output.length, 0);
      },
    ),
  );
});

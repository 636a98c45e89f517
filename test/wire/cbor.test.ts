// The guard and the codec: one encoding for every value, one value for every encoding, and nothing else gets in.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Decoder } from "cbor-x/decode-no-eval";
import fc from "fast-check";
import { type CborValue, decodeCbor, encodeCbor } from "../../src/wire/cbor.js";
import { WireError, type WireErrorCode } from "../../src/wire/error.js";
import { DEPTH_MAX, guardCbor, guardCborPrefix } from "../../src/wire/guard.js";
import { integers, nearlyCbor, values } from "./arbitraries.js";
import { type Item, independentCbor } from "./independent-cbor.js";

const limits = { size: 65_536, items: 16_384 };

/** The decoder as it is where cbor-x has no native part, as in XS. */
const plainDecoder = new Decoder({ useRecords: false, mapsAsObjects: false, tagUint8Array: false, copyBuffers: true });

function refusal(act: () => unknown): WireError | undefined {
  try {
    act();
    return undefined;
  } catch (thrown) {
    assert.ok(thrown instanceof WireError, `throws no WireError: ${String(thrown)}`);
    return thrown;
  }
}

function refused(hex: string, code: WireErrorCode, message: RegExp): void {
  const error = refusal(() => guardCbor(Buffer.from(hex, "hex"), limits));
  assert.ok(error !== undefined, `${hex} is accepted`);
  assert.equal(error.code, code, hex);
  assert.match(error.message, message, hex);
}

/** Integers as decoding gives them: numbers within 32 bits, bigints beyond. */
function normal(value: CborValue): CborValue {
  if (typeof value === "number" || typeof value === "bigint") {
    return value >= -0x100000000 && value <= 0xffffffff ? Number(value) : BigInt(value);
  }
  if (Array.isArray(value)) return value.map(normal);
  if (value instanceof Map) return new Map([...value].map(([key, entry]) => [key, normal(entry)]));
  return value;
}

test("encodes every value as an encoder written from the RFC alone does", () => {
  fc.assert(
    fc.property(values, (value) => {
      assert.equal(Buffer.from(encodeCbor(value)).toString("hex"), independentCbor(value as Item).toString("hex"));
    }),
    { numRuns: 1_000 },
  );
});

test("decodes what it encoded to the same value", () => {
  fc.assert(
    fc.property(values, (value) => {
      assert.deepEqual(normal(decodeCbor(encodeCbor(value))), normal(value));
    }),
    { numRuns: 1_000 },
  );
});

test("encodes integers of either kind in the shortest form, to the borders of int64", () => {
  fc.assert(
    fc.property(integers, (value) => {
      const bytes = encodeCbor(value);
      assert.equal(Buffer.from(bytes).toString("hex"), independentCbor(value).toString("hex"));
      assert.equal(BigInt(decodeCbor(bytes) as number | bigint), BigInt(value));
    }),
    { numRuns: 1_000 },
  );
  for (const [value, hex] of [
    [0xffffffff, "1affffffff"],
    [2 ** 32, "1b0000000100000000"],
    [5n, "05"],
    [2 ** 53 - 1, "1b001fffffffffffff"],
    [2n ** 53n, "1b0020000000000000"],
    [2n ** 63n - 1n, "1b7fffffffffffffff"],
    [-(2 ** 32), "3affffffff"],
    [-(2 ** 32) - 1, "3b0000000100000000"],
    [-(2n ** 63n), "3b7fffffffffffffff"],
    [-0, "00"],
  ] as const) {
    assert.equal(Buffer.from(encodeCbor(value)).toString("hex"), hex, String(value));
  }
});

test("writes back the same bytes for whatever the guard accepts, and reads them alike with and without native code", () => {
  let accepted = 0;
  fc.assert(
    fc.property(nearlyCbor, (bytes) => {
      if (refusal(() => guardCbor(bytes, limits)) !== undefined) {
        assert.ok(refusal(() => decodeCbor(bytes)) !== undefined);
        return;
      }
      accepted += 1;
      const value = decodeCbor(bytes);
      assert.equal(Buffer.from(encodeCbor(value)).toString("hex"), Buffer.from(bytes).toString("hex"));
      assert.deepEqual(value, plainDecoder.decode(bytes));
    }),
    { numRuns: 5_000 },
  );
  assert.ok(accepted > 1_000);
});

test("finds the end of the first item of a sequence and asks for more where it is not complete", () => {
  fc.assert(
    fc.property(fc.array(values, { minLength: 1, maxLength: 4 }), fc.nat(), (items, cut) => {
      const encoded = items.map((item) => independentCbor(item as Item));
      let rest: Uint8Array = Buffer.concat(encoded);
      for (const item of encoded) {
        const length = guardCborPrefix(rest, limits);
        assert.equal(length, item.length);
        rest = rest.subarray(length);
      }
      assert.equal(rest.length, 0);
      const first = encoded[0]!;
      const error = refusal(() => guardCborPrefix(first.subarray(0, cut % first.length), limits));
      assert.equal(error?.code, "limit");
    }),
    { numRuns: 300 },
  );
});

test("refuses a sequence's item that is larger than the limit, however much follows", () => {
  const item = independentCbor(new Uint8Array(100));
  const sequence = Buffer.concat([item, item]);
  assert.equal(guardCborPrefix(sequence, { size: item.length, items: 1 }), item.length);
  assert.equal(refusal(() => guardCborPrefix(sequence, { size: item.length - 1, items: 1 }))?.code, "limit");
});

test("refuses long forms, indefinite lengths and what runs past the end", () => {
  for (const hex of ["1817", "1900ff", "1a0000ffff", "1b00000000ffffffff", "5817", "980080", "b80000"]) {
    refused(hex, "encoding", /shortest form/);
  }
  for (const hex of ["5fff", "7fff", "9fff", "bfff", "1c", "1f", "3f", "5c"]) refused(hex, "encoding", /indefinite/);
  refused("ff", "encoding", /simple value/);
  for (const hex of ["", "18", "1900", "4200", "8100ff", "81", "a1", "a100", "62c3", "0000"]) {
    refused(hex, "encoding", /ends|runs past|follow/);
  }
});

test("refuses floats, NaN, undefined, simple values and every tag", () => {
  for (const hex of [
    "f90000",
    "f97e00",
    "fa7fc00000",
    "fb7ff8000000000000",
    "fb3ff199999999999a",
    "f7",
    "e0",
    "f820",
  ]) {
    refused(hex, "encoding", /simple value or float/);
  }
  // Epoch time, bignums, a RegExp, shared references and cycles, typed arrays, sets, records, the self-described tag.
  for (const hex of [
    "c100",
    "c240",
    "c34101",
    "d81b80",
    "d81c80",
    "d81d00",
    "d84041ff",
    "d9010280",
    "d9dfff",
    "d9d9f700",
  ]) {
    refused(hex, "encoding", /tag/);
  }
});

test("refuses duplicate, unsorted and foreign map keys", () => {
  for (const hex of ["a201000100", "a202000100", "a2200000f6", "a2616100616100", "a262616100616200", "a261610000f6"]) {
    refused(hex, "encoding", /ascending/);
  }
  for (const hex of ["a14000", "a18000", "a1a000", "a1f500", "a1f600", "a1c00000", "a1f9000000"]) {
    refused(hex, "encoding", /no integer or text/);
  }
  for (const hex of ["a11b000000010000000000", "a13b000000010000000000"]) refused(hex, "encoding", /beyond 32 bits/);
  assert.throws(() => encodeCbor(new Map([[2 ** 32, 0]])), /beyond 32 bits/);
});

test("refuses invalid UTF-8 and a byte order mark that a decoder might drop", () => {
  for (const text of [
    "80",
    "c3",
    "c080",
    "c1bf",
    "e08080",
    "eda080",
    "f0808080",
    "f4908080",
    "f5808080",
    "c328",
    "e28228",
  ]) {
    refused((0x60 + text.length / 2).toString(16) + text, "encoding", /invalid UTF-8/);
  }
  refused("63efbbbf", "encoding", /byte order mark/);
  refused(`7850efbbbf${"61".repeat(77)}`, "encoding", /byte order mark/);
});

test("refuses to encode what it would not decode", () => {
  for (const value of [1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -(2 ** 53), 2n ** 63n, -(2n ** 63n) - 1n]) {
    assert.equal(refusal(() => encodeCbor(value))?.code, "encoding", String(value));
  }
  for (const text of ["\ud800", "\udc00", "x\ud83d", `\ud83d${"x".repeat(100)}`, "\ufeffx"]) {
    assert.equal(refusal(() => encodeCbor(text))?.code, "encoding", JSON.stringify(text));
    assert.equal(refusal(() => encodeCbor(new Map([[text, 0]])))?.code, "encoding", JSON.stringify(text));
  }
});

test("refuses nesting beyond its depth in both directions, without using the stack", () => {
  const nested = (depth: number) => Buffer.concat([Buffer.alloc(depth, 0x81), Buffer.of(0x00)]);
  assert.equal(
    refusal(() => guardCbor(nested(DEPTH_MAX), limits)),
    undefined,
  );
  assert.equal(refusal(() => guardCbor(nested(DEPTH_MAX + 1), limits))?.code, "limit");
  assert.equal(refusal(() => guardCbor(nested(60_000), limits))?.code, "limit");
  assert.equal(refusal(() => guardCbor(Buffer.alloc(60_000, Buffer.of(0xa1, 0x00)), limits))?.code, "limit");
  let value: CborValue = 0;
  for (let depth = 0; depth < DEPTH_MAX; depth += 1) value = [value];
  assert.equal(
    refusal(() => encodeCbor(value)),
    undefined,
  );
  assert.equal(refusal(() => encodeCbor([value]))?.code, "limit");
});

test("refuses huge claims of length or count before anything is allocated", () => {
  const cases = ["5affffffff", "7affffffff", "9affffffff", "baffffffff", "5b7fffffffffffffff", "9bffffffffffffffff"];
  for (const hex of cases) assert.ok(refusal(() => guardCbor(Buffer.from(hex, "hex"), limits)) !== undefined, hex);
  assert.equal(refusal(() => guardCbor(Buffer.alloc(70_000, 0x00), limits))?.code, "limit");
  // An array of as many items as bytes, within the size and beyond the items.
  const array = Buffer.concat([Buffer.from("99ea60", "hex"), Buffer.alloc(60_000, 0x00)]);
  assert.match(refusal(() => guardCbor(array, limits))!.message, /too many items/);
});

test("keeps keys named __proto__ as keys", () => {
  const map = new Map<string, CborValue>([
    ["__proto__", 1],
    ["constructor", 2],
  ]);
  assert.deepEqual(decodeCbor(encodeCbor(map)), map);
  assert.equal(({} as { readonly polluted?: unknown }).polluted, undefined);
});

test("gives copies that a later message does not overwrite", () => {
  const source = encodeCbor([Uint8Array.of(1, 2, 3)]);
  const [bytes] = decodeCbor(source) as readonly Uint8Array[];
  source.fill(0xff);
  encodeCbor(new Uint8Array(500).fill(7));
  assert.deepEqual(bytes, Uint8Array.of(1, 2, 3));
  assert.equal(bytes!.constructor, Uint8Array);
});

// Images of NVS partitions, read by a reader of their documented layout, and tables in the syntax of nvs_partition_gen.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type NvsInteger, type NvsValue, nvsImage, PAGE_BYTES } from "../../../tools/provisioning/nvs/image.js";
import { readNvsTable } from "../../../tools/provisioning/nvs/table.js";
import { readNvs } from "./stranger-nvs.js";

const SIZE = 16 * PAGE_BYTES;
const name = fc.stringMatching(/^[a-zA-Z0-9_.]{1,15}$/);
const integer = fc
  .tuple(fc.constantFrom<NvsInteger>("u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64"), fc.bigInt())
  .map(([type, any]) => {
    const bits = Number(type.slice(1));
    return { type, value: type.startsWith("i") ? BigInt.asIntN(bits, any) : BigInt.asUintN(bits, any) };
  });
const valued = fc.oneof(
  integer,
  fc
    .string({ unit: "binary", maxLength: 900 })
    .filter((text) => !text.includes("\0"))
    .map((value) => ({ type: "text" as const, value })),
  fc.uint8Array({ maxLength: 9_000 }).map((value) => ({ type: "blob" as const, value })),
);
const values = fc.uniqueArray(
  fc
    .tuple(fc.constantFrom("settings", "gridseal", "x"), name, valued)
    .map(([namespace, key, each]) => ({ namespace, key, ...each })),
  { maxLength: 24, selector: ({ namespace, key }) => `${namespace}/${key}` },
);

test("property: what is written is read again, whatever pages it fills", () => {
  let full = 0;
  fc.assert(
    fc.property(values, (given: readonly NvsValue[]) => {
      let image: Uint8Array;
      try {
        image = nvsImage(given, SIZE);
      } catch (error) {
        assert.match(String(error), /no room/);
        full += 1;
        return;
      }
      const read = readNvs(image);
      assert.equal(read.size, given.length);
      for (const { namespace, key, value } of given) assert.deepEqual(read.get(`${namespace}/${key}`), value);
    }),
    { numRuns: 200 },
  );
  assert.ok(full < 100, `${full} had no room`);
});

test("a partition that is filled to its last entry is read, and one value more has no room", () => {
  const bytes = (length: number) => new Uint8Array(length).fill(7);
  // Two pages of three: a namespace's entry, a head a page, an index.
  const most = (126 - 2) * 32 + (126 - 2) * 32;
  const fill = (length: number) =>
    nvsImage([{ namespace: "n", key: "k", type: "blob", value: bytes(length) }], 3 * PAGE_BYTES);
  assert.deepEqual(readNvs(fill(most)).get("n/k"), bytes(most));
  assert.throws(() => fill(most + 1), /no room/);
});

test("names, values and sizes that NVS has no place for are refused", () => {
  const one = (value: object) =>
    nvsImage([{ namespace: "n", key: "k", type: "u8", value: 1n, ...value } as NvsValue], SIZE);
  assert.throws(() => one({ key: "sixteen-letters-" }), /no name/);
  assert.throws(() => one({ namespace: "" }), /no name/);
  assert.throws(() => one({ value: 256n }), /256 is no u8/);
  assert.throws(() => one({ type: "i8", value: -129n }), /no i8/);
  assert.throws(() => one({ type: "text", value: "x".repeat(4_000) }), /at most 4000/);
  for (const size of [0, PAGE_BYTES, 2 * PAGE_BYTES, 3 * PAGE_BYTES + 1])
    assert.throws(() => nvsImage([], size), /pages/);
  const twice: NvsValue = { namespace: "n", key: "k", type: "u8", value: 1n };
  assert.throws(() => nvsImage([twice, twice], SIZE), /n\/k comes twice/);
});

test("a table has values of every encoding, from cells and files, in its namespaces", () => {
  const table = [
    "# a comment, with, commas",
    "key,type,encoding,value",
    "storage,namespace,,",
    "small,data,i8,-128",
    "large,data,u64,18446744073709551615",
    'text,data,string,"with, comma"',
    "hex,data,hex2bin,00FFab",
    "base,data,base64,AQID",
    "cert,file,binary,a.der",
    "other,namespace,,",
    "small,file,string,b.txt",
  ].join("\n");
  const files: Record<string, string> = { "a.der": "\x01\x02", "b.txt": "hello" };
  const read = readNvs(
    nvsImage(
      readNvsTable(table, (path) => Buffer.from(files[path]!, "latin1")),
      SIZE,
    ),
  );
  assert.deepEqual(
    [...read].sort(([left], [right]) => (left < right ? -1 : 1)),
    [
      ["other/small", "hello"],
      ["storage/base", Uint8Array.of(1, 2, 3)],
      ["storage/cert", Uint8Array.of(1, 2)],
      ["storage/hex", Uint8Array.of(0, 0xff, 0xab)],
      ["storage/large", 18_446_744_073_709_551_615n],
      ["storage/small", -128n],
      ["storage/text", "with, comma"],
    ],
  );
});

test("a table that is none is refused with its line", () => {
  const refused = (...lines: readonly string[]) => {
    try {
      readNvsTable(["key,type,encoding,value", ...lines].join("\n"), () => new Uint8Array(0));
    } catch (error) {
      return String(error);
    }
    return "taken";
  };
  assert.match(refused("a,data,u8,1"), /line 2, a: a row of type namespace/);
  assert.match(refused("n,namespace,,", "a,data,u8,0x1"), /line 3, a: "0x1" is no whole number/);
  assert.match(refused("n,namespace,,", "a,data,blob,1"), /the encoding "blob" is none of/);
  assert.match(refused("n,namespace,,", "a,data,binary,1"), /for files alone/);
  assert.match(refused("n,namespace,,", "a,data,hex2bin,123"), /no hex/);
  assert.match(refused("n,namespace,,", "a,data,base64,A=BC"), /no base64/);
  assert.match(refused("n,namespace,,", "a,secret,u8,1"), /its type is "secret"/);
  assert.throws(() => readNvsTable("key;value\na;b", () => new Uint8Array(0)), /first row/);
});

test("a bit that is changed anywhere but in its free space is noticed by the reader", () => {
  const image = nvsImage(
    [
      { namespace: "n", key: "a", type: "text", value: "hello" },
      { namespace: "n", key: "b", type: "blob", value: new Uint8Array(40).fill(1) },
    ],
    3 * PAGE_BYTES,
  );
  const before = JSON.stringify([...readNvs(image)].map(([key, value]) => [key, String(value)]));
  let unnoticed = 0;
  for (let bit = 0; bit < 8 * 64; bit += 1) {
    const changed = Uint8Array.from(image);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    try {
      readNvs(changed);
      unnoticed += 1;
    } catch {}
  }
  assert.equal(unnoticed, 0);
  assert.equal(JSON.stringify([...readNvs(image)].map(([key, value]) => [key, String(value)])), before);
});

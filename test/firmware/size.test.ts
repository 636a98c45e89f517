import assert from "node:assert/strict";
import { test } from "node:test";
import { countRom, readLimits, rowsOf, sectionBytes } from "../../tools/firmware/size.js";

const manifest = {
  creation: { static: 98_304, stack: 448 },
  limits: { romBytes: 900_000, romAliases: 800, romKeys: 4_200, hourPoolBytes: 86_016 },
};

test("counts the slots, aliases and keys that the linker states", () => {
  const source =
    "#define mxHeapCount 24000\n#define mxStackCount 348\n#define mxAliasCount 627\n#define mxKeysCount 3449\n";
  assert.deepEqual(countRom(source), { slots: 24_348, aliases: 627, keys: 3_449 });
});

test("adds up the sections that hold data, and leaves code and notes out", () => {
  const listing = [
    "section                         size   addr",
    ".text                           2620      0",
    ".rodata.str1.1                 36455      0",
    ".data.rel.ro                  407888      0",
    ".rodata                       315772      0",
    ".data.rel                         40      0",
    ".comment                          40      0",
    ".eh_frame                       1824      0",
    "Total                         764639",
  ].join("\n");
  assert.equal(sectionBytes(listing), 36_455 + 407_888 + 315_772 + 40);
});

test("reads the limits from the manifest, and names the one that is missing", () => {
  const limits = readLimits(manifest);
  assert.deepEqual(limits, {
    romBytes: 900_000,
    romAliases: 800,
    romKeys: 4_200,
    hourPoolBytes: 86_016,
    stackSlots: 448,
  });
  assert.throws(() => readLimits({ ...manifest, creation: {} }), /states no creation\.stack/);
  assert.throws(() => readLimits({ ...manifest, limits: { romBytes: 1 } }), /limits\.romAliases/);
});

test("holds what was measured against its limit", () => {
  const use = {
    chunkBytes: 30_000,
    slots: 2_800,
    stackSlotsUsed: 449,
    stackSlots: 896,
    keys: 2,
    erases: 1,
    writes: 1,
    values: 1,
    liveChunkBytes: 12_000,
    liveSlots: 1_800,
  };
  const rows = rowsOf({ bytes: 760_155, slots: 24_348, aliases: 627, keys: 4_201 }, { use }, readLimits(manifest));
  const over = rows.filter(({ found, limit }) => found > limit).map(({ what }) => what);
  assert.deepEqual(over, ["ROM keys", "stack slots"]);
});

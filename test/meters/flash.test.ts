import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { openFlash } from "../../tools/meters/flash.js";

const folder = mkdtempSync(join(tmpdir(), "gridseal-flash-"));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
const newPath = () => join(folder, `${++files}.flash`);
const geometry = { size: 1024, sectorSize: 256 };

const operation = fc.oneof(
  fc.record({
    kind: fc.constant("write" as const),
    offset: fc.nat({ max: 1024 }),
    bytes: fc.uint8Array({ maxLength: 80 }),
  }),
  fc.record({ kind: fc.constant("erase" as const), sector: fc.nat({ max: 3 }) }),
  fc.record({ kind: fc.constant("reopen" as const) }),
);

test("behaves as NOR flash does: writes clear bits, erases set a sector, and both last", () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 20 }), (operations) => {
      const path = newPath();
      const cells = new Array<number>(geometry.size).fill(0xff);
      let flash = openFlash(path, geometry);
      for (const step of operations) {
        if (step.kind === "reopen") {
          flash.close();
          flash = openFlash(path, geometry);
        } else if (step.kind === "erase") {
          flash.erase(step.sector * 256);
          cells.fill(0xff, step.sector * 256, step.sector * 256 + 256);
        } else if (step.offset + step.bytes.length > geometry.size) {
          assert.throws(() => flash.write(step.offset, step.bytes), RangeError);
        } else {
          flash.write(step.offset, step.bytes);
          step.bytes.forEach((byte, index) => {
            cells[step.offset + index]! &= byte;
          });
        }
      }
      assert.deepEqual([...flash.read(0, geometry.size)], cells);
      flash.close();
      rmSync(path);
    }),
    { numRuns: 50 },
  );
});

test("refuses what lies outside the partition or is not a sector", () => {
  const flash = openFlash(newPath(), geometry);
  assert.throws(() => flash.read(1000, 25), /1024 bytes/);
  assert.throws(() => flash.read(-1, 1), RangeError);
  assert.throws(() => flash.write(0.5, Uint8Array.of(1)), RangeError);
  assert.throws(() => flash.erase(128), /not the start/);
  assert.throws(() => flash.erase(1024), RangeError);
  flash.close();
});

test("refuses a file of another size and leaves it as it is", () => {
  const path = newPath();
  writeFileSync(path, "not a partition");
  assert.throws(() => openFlash(path, geometry), { code: "STORE_CORRUPT" });
  assert.equal(statSync(path).size, 15);
});

test("says which file cannot be opened", () => {
  assert.throws(() => openFlash(join(folder, "absent/outbox.flash"), geometry), {
    code: "FILE_UNWRITABLE",
    message: /absent\/outbox\.flash/,
  });
});

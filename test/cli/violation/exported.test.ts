// Violations in exported files that are none: what is wrong is the file.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { metersOfFiles } from "../../../tools/cli/meter/known.js";
import { exportedViolations } from "../../../tools/cli/violation/exported.js";

test("a file that holds no blocks, or one that is cut off, is an invalid chain", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "gridseal-exported-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "chain.cbor");
  for (const bytes of [[0], [0x82], [0xff], [0x80]]) {
    writeFileSync(file, Uint8Array.from(bytes));
    for (const read of [() => exportedViolations([file], {}), () => metersOfFiles([file], undefined)]) {
      await assert.rejects(read, { code: "CHAIN_INVALID" }, `bytes ${bytes}`);
    }
  }
});

// Heads of tables, read from the sources: they stand in capitals, units as they are written.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../../tools/cli/", import.meta.url));

test("heads of tables are in capitals in all commands", () => {
  const heads = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => [...readFileSync(join(folder, file), "utf8").matchAll(/\btable\(\s*\[("[^\]]*)\]/g)])
    .flatMap(([, list]) => [...list!.matchAll(/"([^"]*)"/g)].map(([, head]) => head!));
  assert.ok(heads.length > 50, `${heads.length} were found`);
  const words = heads.map((head) => head.replaceAll(/\b(?:[mk]?Wh|[mk]W|kvar)\b/g, ""));
  assert.deepEqual(
    words.filter((head) => head !== head.toUpperCase()),
    [],
  );
});

// What a mutant replaces stands in the code, so that a changed line is noticed before its mutant is built.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { catches } from "../../../tools/lab/simulation/mutants/catches.js";
import { mutants } from "../../../tools/lab/simulation/mutants/mutants.js";

const root = new URL("../../../", import.meta.url);

test("each text that a mutant replaces stands in its file exactly once", async () => {
  const wrong: string[] = [];
  for (const { name, edits = [] } of mutants) {
    for (const { file, replaced } of edits) {
      const code = await readFile(fileURLToPath(new URL(file, root)), "utf8");
      for (const [text] of replaced) {
        const times = code.split(text).length - 1;
        if (times !== 1) wrong.push(`${name}: ${file} has it ${times} times: ${text.trim()}`);
      }
    }
  }
  assert.deepEqual(wrong, []);
});

test("each mutant has a seed in the suite that catches it", () => {
  assert.deepEqual(
    mutants.filter(({ name }) => catches[name] === undefined).map(({ name }) => name),
    [],
  );
});

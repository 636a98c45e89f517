// Every text of the explorer is there in every language, with the same fields, and none is left that no page shows.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { pageTexts } from "../../tools/explorer/texts/pages.js";
import { addTexts, allTexts, chooseLanguage, isTextKey, languages, text } from "../../tools/explorer/texts.js";

addTexts(pageTexts);

const folder = fileURLToPath(new URL("../../tools/explorer", import.meta.url));
const sources = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.tsx?$/.test(name) && !/^texts/.test(name))
  .map((name) => readFileSync(join(folder, name), "utf8"))
  .join("\n");

test("each text stands in every language, with the same fields", () => {
  const wrong: string[] = [];
  for (const [key, translations] of Object.entries(allTexts())) {
    const fields = translations.map((one) => [...new Set(one.match(/\{\w+\}/g) ?? [])].sort().join());
    const isWhole = translations.length === Object.keys(languages).length && translations.every((one) => one !== "");
    if (!isWhole || new Set(fields).size !== 1) wrong.push(key);
  }
  assert.deepEqual(wrong, [], "texts that lack a language, or a field in one");
});

test("each text is shown somewhere", () => {
  // Names that a value completes, as `mark.${state}`.
  const made = [...sources.matchAll(/`([a-zA-Z]+\.)\$\{/g)].map(([, start]) => start!);
  const prefixes = [...sources.matchAll(/prefix="(\w+)"/g)].map(([, start]) => `${start}.`);
  const left = Object.keys(allTexts()).filter(
    (key) => !sources.includes(`"${key}"`) && ![...made, ...prefixes].some((start) => key.startsWith(start)),
  );
  assert.deepEqual(left, [], "texts that nothing shows");
});

test("a text is in the language that is chosen, with its fields filled in as they are", () => {
  chooseLanguage("de");
  assert.equal(text("chains.height", { height: 1_234 }), "Höhe 1.234");
  assert.equal(text("receipt.unknown", { name: "{name} $& <b>" }), "{name} $& <b> ist kein Nachweis von Gridseal.");
  chooseLanguage("en");
  assert.ok(!isTextKey("toString"), "what every object has is no text");
});

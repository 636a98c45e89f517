#!/usr/bin/env node
// `npm run check`: types of tools and tests, of what runs on the meter and in a browser, lint, walls and format; all at once, as the
// first takes as long as the others together. What each says is printed whole; it ends with 1 where one fails.

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const tsc = require.resolve("typescript/bin/tsc");
const biome = require.resolve("@biomejs/biome/bin/biome");

/** The longest first. */
const checks = [
  [tsc, "-p", "tsconfig.json"],
  [biome, "ci", "--colors=off", "--error-on-warnings", "."],
  [tsc, "-p", "tsconfig.meter.json"],
  [tsc, "-p", "tsconfig.browser.json"],
];

/**
 * Resolves with whether it finds nothing wrong.
 * @param {readonly string[]} words
 * @returns {Promise<boolean>}
 */
function run(words) {
  const child = spawn(process.execPath, words, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
  return new Promise((resolve) => {
    child.once("error", (error) => {
      process.stdout.write(`${error.message}\n`);
      resolve(false);
    });
    child.once("close", (status) => {
      process.stdout.write(said);
      resolve(status === 0);
    });
  });
}

const results = await Promise.all(checks.map(run));
if (results.includes(false)) process.exitCode = 1;

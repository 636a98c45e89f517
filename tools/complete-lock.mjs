// Completes package-lock.json after `npm install`: npm writes no `integrity` for packages of other platforms that it did not
// install. Asks the registry for each; what the registry has not is left out, and built from source where it is wanted.

import { execFile } from "node:child_process";
import { readFile, rename, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const path = fileURLToPath(new URL("../package-lock.json", import.meta.url));
/** so many questions to the registry at a time */
const QUESTIONS_MAX = 4;

const lock = JSON.parse(await readFile(path, "utf8"));
const incomplete = Object.entries(lock.packages).filter(([place, entry]) => place !== "" && !entry.integrity);
for (let first = 0; first < incomplete.length; first += QUESTIONS_MAX) {
  await Promise.all(incomplete.slice(first, first + QUESTIONS_MAX).map(([place, entry]) => complete(place, entry)));
}
if (incomplete.length > 0) {
  await writeFile(`${path}.unfinished`, `${JSON.stringify(lock, null, 2)}\n`);
  await rename(`${path}.unfinished`, path);
}
process.stdout.write(`${incomplete.length} entries had no integrity\n`);

/**
 * Fills in the integrity of one entry, or takes the entry out.
 *
 * @param {string} place
 * @param {{ version: string, optional?: boolean, integrity?: string }} entry
 */
async function complete(place, entry) {
  const name = place.slice(place.lastIndexOf("node_modules/") + "node_modules/".length);
  const integrity = await integrityOf(`${name}@${entry.version}`);
  if (integrity !== undefined) entry.integrity = integrity;
  else if (entry.optional === true) delete lock.packages[place];
  else throw new Error(`the registry has no ${name}@${entry.version}, which is needed: choose another version`);
}

/**
 * @param {string} spec
 * @returns {Promise<string | undefined>} undefined where the registry has no such version
 */
async function integrityOf(spec) {
  try {
    const { stdout } = await run("npm", ["view", spec, "dist.integrity", "--json"]);
    return JSON.parse(stdout);
  } catch (error) {
    if (String(/** @type {{ stdout?: string }} */ (error).stdout).includes('"E404"')) return undefined;
    throw error;
  }
}

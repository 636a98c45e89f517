// The sources of the meter as the JavaScript modules that the SDK's manifest names: TypeScript file by file, the libraries rolled up.
// Types are checked by `npm run check`.

import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import ts from "typescript";
import { arrows } from "./arrows.js";
import { buildVendor } from "./vendor.js";

const folders = ["src/agent", "src/meter", "src/wire", "hosts/shared", "hosts/simulator", "hosts/esp32"];

/** Modules that stand in for a library's. */
const replacements: Readonly<Record<string, string>> = { "hosts/shared/sha2.js": "@noble/hashes/sha2.js" };

/**
 * In ROM as they are linked, in the order in which they must run there; `/` at the end stands for all modules below.
 */
const preloads = [
  "text/encoder",
  "hosts/shared/globals",
  "@noble/",
  "hosts/shared/",
  "src/wire/",
  "src/meter/",
  "src/agent/",
];

/**
 * Not preloaded, like main: they make the closures that live as long as the meter. XS copies the code of closures that a preloaded
 * function makes into RAM, and leaves in ROM the code of those that another makes. Found by measuring each; `npm run size` shows the sum.
 */
const notPreloaded: readonly string[] = [
  "src/agent/agent",
  "src/agent/identity",
  "src/agent/inbox",
  "src/agent/receipts",
  "src/agent/recorder",
  "src/agent/schedule",
  "src/meter/p1/reader",
  "src/meter/reader",
];

/** Writes the modules below `.cache/firmware/modules` of `root` anew; the folder. */
export async function compileFirmware(root: string): Promise<string> {
  const folder = join(root, ".cache/firmware/modules");
  await rm(folder, { recursive: true, force: true });
  const names: string[] = ["text/encoder"];
  const sources = (await Promise.all(folders.map((source) => sourcesIn(join(root, source))))).flat();
  for (const path of [join(root, "src/main.ts"), ...sources]) {
    const name = relative(root, path).replace(/\.ts$/, ".js");
    const place = replacements[name] ?? name;
    names.push(place.replace(/\.js$/, ""));
    await write(join(folder, place), compile(await readFile(path, "utf8")));
  }
  // A bare name is found from everywhere, a path only from its own place: each platform's host gets its bare name here.
  for (const platform of ["simulator", "esp32"]) {
    await write(join(folder, `host-${platform}.js`), `export { default } from "hosts/${platform}/host";\n`);
  }
  names.push(...(await buildVendor(root, folder)));
  await write(join(folder, "manifest.json"), JSON.stringify({ preload: preloadOrder(names) }, undefined, 2));
  return folder;
}

function preloadOrder(names: readonly string[]): string[] {
  const missing = notPreloaded.find((name) => !names.includes(name));
  if (missing !== undefined) throw new Error(`${missing} is not to be preloaded, and is not there: correct compile.ts`);
  const ordered = preloads.flatMap((place) =>
    names.filter((name) => (place.endsWith("/") ? name.startsWith(place) : name === place)),
  );
  return [...new Set(ordered)].filter((name) => !notPreloaded.includes(name));
}

function compile(source: string): string {
  return ts.transpileModule(source, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ES2022,
      verbatimModuleSyntax: true,
      removeComments: true,
    },
    transformers: { before: [arrows] },
  }).outputText;
}

async function sourcesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return names
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .sort()
    .map((name) => join(folder, name));
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

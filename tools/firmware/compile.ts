// The sources of the meter as the JavaScript modules that the SDK's manifest names: TypeScript file by file, the libraries rolled up.
// Types are checked by `npm run check`.

import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import ts from "typescript";
import { buildVendor } from "./vendor.js";

const folders = ["src/agent", "src/meter", "src/wire", "hosts/shared", "hosts/simulator", "hosts/esp32"];

/** Modules that stand in for a library's. */
const replacements: Readonly<Record<string, string>> = { "hosts/shared/sha2.js": "@noble/hashes/sha2.js" };

/** Writes the modules below `.cache/firmware/modules` of `root` anew; the folder. */
export async function compileFirmware(root: string): Promise<string> {
  const folder = join(root, ".cache/firmware/modules");
  await rm(folder, { recursive: true, force: true });
  const sources = (await Promise.all(folders.map((source) => sourcesIn(join(root, source))))).flat();
  for (const path of [join(root, "src/main.ts"), ...sources]) {
    const name = relative(root, path).replace(/\.ts$/, ".js");
    await write(join(folder, replacements[name] ?? name), compile(await readFile(path, "utf8")));
  }
  // A bare name is found from everywhere, a path only from its own place: each platform's host gets its bare name here.
  for (const platform of ["simulator", "esp32"]) {
    await write(join(folder, `host-${platform}.js`), `export { default } from "hosts/${platform}/host";\n`);
  }
  await buildVendor(root, folder);
  return folder;
}

function compile(source: string): string {
  return ts.transpileModule(source, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ES2022,
      verbatimModuleSyntax: true,
      removeComments: true,
    },
  }).outputText;
}

async function sourcesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".d.ts"))
    .map((entry) => join(folder, entry.name));
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

// The sources of the meter as the JavaScript modules that the SDK's manifest names: a module a file, without what no meter reaches;
// the libraries rolled up. Types are checked by `npm run check`.

import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Plugin, rollup } from "rollup";
import ts from "typescript";
import { type Protocol, protocols } from "../../src/meter/reader.js";
import { arrows } from "./arrows.js";
import { shortNames } from "./short-names.js";
import { buildVendor } from "./vendor.js";

/** What is reached from these modules is the meter's: the program, the hosts, and what runs while the ROM image is made. */
const folders = ["hosts/shared", "hosts/simulator", "hosts/esp32"];

/** The folder in hosts that has a platform's host. */
const hostPlaces = { simulator: "simulator", counted: "simulator/counted", esp32: "esp32" };

/** Who makes and checks Ed25519 signatures: JavaScript everywhere, or a library in C that the one who builds has. */
export type Signatures = "noble" | "libsodium";

const libsodium = { source: "hosts/libsodium/ed25519.ts", insteadOf: "src/agent/ed25519.ts" };
/** Of https://components.espressif.com; its minor versions are compatible. */
const component = { namespace: "espressif", name: "libsodium", version: "^1.0.20" };

/** Whose readers the build may do without. */
const readers: Readonly<Record<Protocol, readonly [source: string, create: string]>> = {
  p1: ["src/meter/p1/reader.ts", "createP1Reader"],
  sml: ["src/meter/sml/reader.ts", "createSmlReader"],
  hdlc: ["src/meter/dlms/reader.ts", "createHdlcReader"],
  mbus: ["src/meter/mbus/reader.ts", "createMbusReader"],
  d0: ["src/meter/d0/reader.ts", "createD0Reader"],
  pulse: ["src/meter/pulse.ts", "createPulseReader"],
  modbus: ["src/meter/modbus/reader.ts", "createModbusReader"],
  tic: ["src/meter/tic/reader.ts", "createTicReader"],
  push: ["src/meter/dlms/bare.ts", "createBareReader"],
};
/** Improv Wi-Fi of a board's console, as a reader is one of its port. */
const IMPROV = "improv";
/** What a build may do without, each made by what has this name in this module. */
const parts = { ...readers, [IMPROV]: ["hosts/esp32/improv.ts", "ImprovConsole"] } as const satisfies Record<
  string,
  readonly [source: string, create: string]
>;
export type Part = keyof typeof parts;
/** Who imports them, and does without them. */
const openers: readonly string[] = ["src/meter/open-reader.ts", "hosts/esp32/host.ts"];
/** Before the part in the name of the module that stands for one that is left out. */
const leftOutPrefix = "left-out-";

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
  "hosts/libsodium/",
  "src/agent/",
];

/**
 * Not preloaded, like main: they make the closures that live as long as the meter. XS copies the code of closures that a preloaded
 * function makes into RAM, and leaves in ROM the code of those that another makes. Found by measuring each; `npm run size` shows the sum.
 */
const notPreloaded: readonly string[] = [
  "hosts/libsodium/ed25519",
  "src/agent/agent",
  "src/agent/ed25519",
  "src/agent/identity",
  "src/agent/inbox",
  "src/agent/receipts",
  "src/agent/recorder",
  "src/agent/schedule",
  "src/meter/p1/reader",
  "src/meter/reader",
];

/** Writes the modules below `.cache/firmware/modules` of `root` anew, with signatures by noble or by libsodium; the folder. */
export async function compileFirmware(root: string, signatures: Signatures = "noble"): Promise<string> {
  const folder = join(root, ".cache/firmware/modules");
  await rm(folder, { recursive: true, force: true });
  const names: string[] = ["text/encoder"];
  const leftOut = leftOutBy(JSON.parse(await readFile(join(root, "manifest.json"), "utf8")));
  // The SDK's manifest names each folder, whether all that was in it is left out or not.
  for (const part of leftOut) await mkdir(join(folder, dirname(parts[part][0])), { recursive: true });
  for (const { name, code } of await compileSources(root, signatures, leftOut)) {
    const place = replacements[name] ?? name;
    names.push(place.replace(/\.js$/, ""));
    await write(join(folder, place), code);
  }
  // A bare name is found from everywhere, a path only from its own place: each platform's host gets its bare name here.
  for (const [platform, place] of Object.entries(hostPlaces)) {
    await write(join(folder, `host-${platform}.js`), `export { default } from "hosts/${place}/host";\n`);
  }
  if (signatures === "noble") names.push(...(await buildVendor(root, folder)));
  const signing = signatures === "noble" ? noblesModules(folder) : libsodiumsModules(root, folder);
  await write(
    join(folder, "manifest.json"),
    JSON.stringify({ ...signing, preload: preloadOrder(names) }, undefined, 2),
  );
  return folder;
}

export interface Module {
  /** its place, as in `src/agent/agent.js` */
  readonly name: string;
  readonly code: string;
}

function noblesModules(folder: string) {
  return { modules: { "@noble/curves/*": join(folder, "@noble/curves/*") } };
}

/** The module over libsodium, its C, and the library from where a chip's build gets such. */
function libsodiumsModules(root: string, folder: string) {
  const place = libsodium.source.replace(/\.ts$/, "");
  return {
    modules: { [place]: join(folder, place), "*": join(root, "hosts/libsodium/sodium") },
    platforms: { esp32: { dependency: [component] } },
  };
}

/** The parts that a manifest leaves out: not by its config, which a chip has in ROM. Throws where it names one that is none. */
export function leftOutBy(manifest: { readonly leftOut?: readonly string[] }): Part[] {
  const known: readonly Part[] = [...protocols, IMPROV];
  return (manifest.leftOut ?? []).map((name) => {
    const part = known.find((candidate) => candidate === name);
    if (part === undefined) throw new Error(`manifest.json leaves out ${name}: expected ${known.join(", ")}`);
    return part;
  });
}

/** The modules in the order of their names. Exports that no other module imports are left out, and what only they use. */
export async function compileSources(
  root: string,
  signatures: Signatures = "noble",
  leftOut: readonly Part[] = [],
): Promise<Module[]> {
  const all = (await Promise.all(folders.map((folder) => sourcesIn(root, folder)))).flat();
  // What makes noble's tables is no use without noble.
  const without = leftOut.map((part): string => parts[part][0]);
  if (leftOut.includes(IMPROV)) without.push("hosts/shared/improv.ts");
  if (signatures !== "noble") without.push("hosts/shared/tables.ts");
  const hosts = all.filter((path) => !without.includes(path));
  const bundle = await rollup({
    input: ["src/main.ts", ...hosts].map((path) => join(root, path)),
    // What is not ours has a bare name: the SDK's modules and the libraries.
    external: (id) => !id.startsWith(".") && !id.startsWith("/"),
    preserveEntrySignatures: "allow-extension",
    plugins: [withoutParts(root, leftOut), typeScript(root, signatures), shortNames(isPreloaded)],
    onwarn(warning) {
      throw new Error(warning.message);
    },
  });
  const { output } = await bundle.generate({
    format: "es",
    preserveModules: true,
    preserveModulesRoot: root,
    hoistTransitiveImports: false,
    generatedCode: { constBindings: true },
  });
  await bundle.close();
  return output
    .map((file) => ({ name: file.fileName, code: file.type === "chunk" ? file.code : "" }))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

/**
 * Who imports a part that is left out has undefined in its place, in a module of the same folder, which the manifest names; what only
 * the part imports is not reached.
 */
function withoutParts(root: string, leftOut: readonly Part[]): Plugin {
  const importers = new Set(openers.map((opener) => join(root, opener)));
  const standIn = (part: Part) => join(root, dirname(parts[part][0]), `${leftOutPrefix}${part}.ts`);
  return {
    name: "left-out",
    resolveId(id, importer) {
      if (importer === undefined || !importers.has(importer)) return null;
      const path = join(dirname(importer), id.replace(/\.js$/, ".ts"));
      const part = leftOut.find((candidate) => path === join(root, parts[candidate][0]));
      return part === undefined ? null : standIn(part);
    },
    load(id) {
      const part = leftOut.find((candidate) => id === standIn(candidate));
      return part === undefined ? null : `export const ${parts[part][1]} = undefined;`;
    },
  };
}

/** Imports name a source as the JavaScript that it becomes. */
function typeScript(root: string, signatures: Signatures): Plugin {
  const replaced = signatures === "libsodium" ? join(root, libsodium.insteadOf) : undefined;
  return {
    name: "typescript",
    resolveId(id, importer) {
      if (importer === undefined) return null;
      const path = join(dirname(importer), id.replace(/\.js$/, ".ts"));
      return path === replaced ? join(root, libsodium.source) : path;
    },
    transform: (source) => ({ code: compile(source), map: null }),
  };
}

/** The stack of an error names functions of other modules alone, as XS keeps no names of what is in ROM: those keep them. */
function isPreloaded(name: string): boolean {
  return (
    preloads.some((place) => (place.endsWith("/") ? name.startsWith(place) : name === place)) &&
    !notPreloaded.includes(name)
  );
}

function preloadOrder(names: readonly string[]): string[] {
  // Of the two that make signatures one is there; a part may be left out.
  const optional = Object.values(parts).map(([source]) => source.replace(/\.ts$/, ""));
  const missing = notPreloaded.find(
    (name) => !name.endsWith("/ed25519") && !optional.includes(name) && !names.includes(name),
  );
  if (missing !== undefined) throw new Error(`${missing} is not to be preloaded, and is not there: correct compile.ts`);
  const ordered = preloads.flatMap((place) =>
    names.filter((name) => (place.endsWith("/") ? name.startsWith(place) : name === place)),
  );
  return [...new Set(ordered)].filter(isPreloaded);
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

async function sourcesIn(root: string, folder: string): Promise<string[]> {
  const names = await readdir(join(root, folder), { recursive: true });
  return names
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .sort()
    .map((name) => join(folder, name));
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

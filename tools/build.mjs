#!/usr/bin/env node
// Builds dist/ with esbuild: tools and src file by file for Node, and the meter's program as one script for XS.
// Tests and tools that run from the sources take `buildMeterBundle` from here and need no dist.

import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, "dist");
const libraries = join(dist, "libraries");
/** What runs in a browser: one page with its files, not modules for Node. */
const explorer = "tools/explorer/";
/** Of more the last percent takes a second. */
const LARGE_BYTES = 300_000;
const QUALITY_OF_LARGE = 9;
/** What comes in hundreds of small files is one in dist: Node opens all of them at every start of the command. */
const gathered = { typebox: "@sinclair/typebox", "typebox-value": "@sinclair/typebox/value" };

/**
 * The program of an xsnap meter as one script.
 * @param {string} [entry] path of the module that starts it; the agent's src/main.ts by default
 * @returns {Promise<string>} JavaScript for XS; it throws its stack as text, the only form in which a worker reports it
 */
export async function buildMeterBundle(entry = join(root, "src/main.ts")) {
  const result = await build({
    entryPoints: [entry],
    absWorkingDir: root,
    bundle: true,
    write: false,
    format: "iife",
    platform: "neutral",
    mainFields: ["module", "main"],
    // XS mishandles class static fields as noble uses them; es2020 lowers them to assignments.
    target: "es2020",
    alias: { host: join(root, "hosts/xsnap/host.ts") },
    banner: { js: "try {" },
    footer: { js: "} catch (thrown) { throw thrown instanceof Error ? thrown.stack : thrown }" },
    legalComments: "none",
    logLevel: "silent",
  });
  return result.outputFiles[0].text;
}

/**
 * The explorer for browsers: the page, and what it names under names that have a hash of what they hold; each beside itself compressed,
 * with the ending of its compression.
 * @returns {Promise<Map<string, Uint8Array>>} contents by name
 */
export async function buildExplorer() {
  // By itself: what it shares with the page would be cut into dozens of small files, each of which the first page asks for.
  const built = await Promise.all([
    buildPages({ main: "main.tsx", style: "style.css" }),
    buildPages({ replay: "replay/worker.ts" }),
  ]);
  const files = new Map(built.flat().map(({ path, contents }) => [basename(path), contents]));
  const engine = await readFile(fileURLToPath(import.meta.resolve("quickjs-wasi/quickjs.wasm")));
  files.set(`engine-${createHash("sha256").update(engine).digest("hex").slice(0, 8).toUpperCase()}.wasm`, engine);
  const template = await readFile(join(root, explorer, "index.html"), "utf8");
  const page = template.replace(/\{(\w+)\}/g, (_, what) => {
    const start = what === "script" ? "main-" : `${what}-`;
    return `explorer/${[...files.keys()].find((name) => name.startsWith(start))}`;
  });
  files.set("index.html", Buffer.from(page));
  const compressed = await Promise.all([...files].flatMap(([name, contents]) => compress(name, contents)));
  return new Map([...files, ...compressed]);
}

/** @param {Readonly<Record<string, string>>} entries files of the explorer by their names */
async function buildPages(entries) {
  const result = await build({
    entryPoints: Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, join(root, explorer, file)])),
    absWorkingDir: root,
    outdir: join(dist, explorer),
    bundle: true,
    splitting: true,
    write: false,
    minify: true,
    format: "esm",
    platform: "browser",
    target: ["es2022"],
    jsx: "automatic",
    jsxImportSource: "preact",
    entryNames: "[name]-[hash]",
    chunkNames: "part-[hash]",
    legalComments: "none",
    logLevel: "silent",
  });
  return result.outputFiles;
}

/**
 * @param {string} name
 * @param {Uint8Array} contents
 */
function compress(name, contents) {
  const quality = contents.length > LARGE_BYTES ? QUALITY_OF_LARGE : constants.BROTLI_MAX_QUALITY;
  const best = {
    params: { [constants.BROTLI_PARAM_SIZE_HINT]: contents.length, [constants.BROTLI_PARAM_QUALITY]: quality },
  };
  return [
    promisify(brotliCompress)(contents, best).then((bytes) => [`${name}.br`, bytes]),
    promisify(gzip)(contents, { level: 9 }).then((bytes) => [`${name}.gz`, bytes]),
  ];
}

/** Writes dist/ anew and says so in one line. */
async function buildAll() {
  const started_ms = performance.now();
  const [below, sources] = await Promise.all([filesBelow("tools"), filesBelow("src")]);
  const tools = below.filter((file) => !file.startsWith(explorer));
  // src/main.ts has the platform's `host` to import, which Node has not: it is in the meter's program alone.
  const modules = [...tools, ...sources, "hosts/xsnap/bridge.ts", "hosts/xsnap/octets.ts"].filter(
    (file) => file.endsWith(".ts") && file !== "src/main.ts",
  );
  // The types for authors of contracts are handed out as they stand; contracts are bundled from their sources, whose bytes name them.
  const assets = tools.filter(
    (file) =>
      !/\.(?:ts|mts|mjs)$/.test(file) ||
      file === "tools/contracts/author.ts" ||
      /^tools\/(?:market|dispatch)\//.test(file),
  );
  // Nothing is written before everything is built: a build that fails leaves the last good one.
  const [program, transpiled, libraryFiles, pages] = await Promise.all([
    buildMeterBundle(),
    transpile(modules),
    gather(),
    buildExplorer(),
  ]);
  const files = new Map(libraryFiles.map(({ path, contents }) => [path, contents]));
  for (const { path, text } of transpiled) files.set(path, Buffer.from(withGathered(path, text)));
  for (const [name, contents] of pages) files.set(join(dist, explorer, name), contents);
  files.set(join(dist, "meter-xsnap.js"), Buffer.from(program));
  // Node has a SHA-256 of its own; sources that run without a build take noble's.
  files.set(join(dist, "src/wire/hash.js"), Buffer.from('export * from "../../tools/crypto/hash.js";\n'));
  files.set(join(dist, "src/wire/hex.js"), Buffer.from('export * from "../../tools/crypto/hex.js";\n'));
  files.set(join(dist, "src/wire/cbor.js"), Buffer.from('export * from "../../tools/crypto/cbor.js";\n'));
  for (const asset of assets) files.set(join(dist, asset), await readFile(join(root, asset)));
  await Promise.all([...files].map(([path, contents]) => write(path, contents)));
  await removeAllBut(files);
  await chmod(join(dist, "tools/cli/gridseal.js"), 0o755);
  const took_ms = Math.round(performance.now() - started_ms);
  console.log(`dist: ${modules.length} modules and the meter's program (${program.length >> 10} kB) in ${took_ms} ms`);
}

/** @param {readonly string[]} modules */
async function transpile(modules) {
  const result = await build({
    entryPoints: [...modules],
    absWorkingDir: root,
    outdir: dist,
    outbase: root,
    write: false,
    format: "esm",
    platform: "node",
    target: "node20",
    sourcemap: true,
    logLevel: "silent",
  });
  return result.outputFiles;
}

/** The libraries that are one file each, and what they share. */
async function gather() {
  const result = await build({
    entryPoints: gathered,
    absWorkingDir: root,
    outdir: libraries,
    bundle: true,
    splitting: true,
    write: false,
    format: "esm",
    platform: "node",
    target: "node20",
    legalComments: "inline",
    logLevel: "silent",
  });
  return result.outputFiles;
}

/**
 * The code of the module at `path`, in which gathered libraries are imported from where they are.
 * @param {string} path
 * @param {string} code
 */
function withGathered(path, code) {
  return Object.entries(gathered).reduce((changed, [file, name]) => {
    const place = relative(dirname(path), join(libraries, `${file}.js`));
    return changed.replaceAll(`from "${name}";`, `from "${place}";`);
  }, code);
}

/** @param {string} folder */
async function filesBelow(folder) {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".d.ts") && !entry.name.endsWith(".d.mts"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

/** @param {ReadonlyMap<string, Uint8Array>} files */
async function removeAllBut(files) {
  const found = (await filesBelow("dist")).map((file) => join(root, file));
  await Promise.all(found.filter((path) => !files.has(path)).map((path) => rm(path)));
}

/**
 * @param {string} path
 * @param {Uint8Array} contents
 */
async function write(path, contents) {
  await mkdir(dirname(path), { recursive: true });
  // A process that starts meanwhile finds the old file or the new one, never half of it.
  const unfinished = `${path}.unfinished`;
  await writeFile(unfinished, contents);
  await rename(unfinished, path);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildAll().catch((error) => {
    // esbuild's message names file and line of each error.
    console.error(error.message);
    process.exitCode = 1;
  });
}

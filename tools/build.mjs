#!/usr/bin/env node
// Builds dist/ with esbuild: what runs on Node as a few bundles, each start of which opens few files, the explorer for browsers, and the
// meter's program as one script for XS.
// Tests and tools that run from the sources take `buildMeterBundle` from here and need no dist.

import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, "dist");
/** @type {{ readonly scripts: Readonly<Record<string, string>> }} */
const { scripts } = createRequire(import.meta.url)("../package.json");
/** Where the bundles are, all in one folder: wherever a module ends up, it finds its files by the same steps. */
const bundles = join(dist, "program");
/** What runs in a browser: one page with its files, not modules for Node. */
const explorer = "tools/explorer/";
/** Of more the last percent takes a second. */
const LARGE_BYTES = 300_000;
const QUALITY_OF_LARGE = 9;
/** Modules that a process or a thread starts with, by the folder that they are in. */
const entries = {
  "tools/cli": ["gridseal"],
  "tools/crypto": ["verifying-thread"],
  "tools/node/contracts": ["engine-thread", "sandbox-thread"],
  "tools/node/store": ["block-trees-thread"],
  "tools/lab/bench": ["generator", "verifier", "fleet-worker", "peer-client"],
};
/**
 * Packages that stay where they are installed: they have parts of their own beside their code, or are loaded on use alone, when a bundle
 * would hide the names of what an older package exports.
 */
export const installed = [
  "@agoric/xsnap",
  "@peculiar/x509",
  "cbor-x",
  "esbuild",
  "esptool-js",
  "lmdb",
  "mqtt",
  "playwright-core",
  "quickjs-wasi",
  "serialport",
  "typescript",
];
/** Sources that run without a build take noble's SHA-256 and what is portable; on Node each has something quicker. */
const onNode = {
  "src/wire/hash.ts": "tools/crypto/hash.js",
  "src/wire/hex.ts": "tools/crypto/hex.js",
  "src/wire/cbor.ts": "tools/crypto/cbor.js",
};

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
  return (await explorerOutput()).files;
}

/** The same, with the files that went into it. */
async function explorerOutput() {
  // By itself: what it shares with the page would be cut into dozens of small files, each of which the first page asks for.
  const built = await Promise.all([
    buildPages({ main: "main.tsx", style: "style.css" }),
    buildPages({ replay: "replay/worker.ts" }),
  ]);
  const outputs = built.flatMap(({ outputFiles }) => outputFiles);
  const files = new Map(outputs.map(({ path, contents }) => [basename(path), contents]));
  const engineFile = fileURLToPath(import.meta.resolve("quickjs-wasi/quickjs.wasm"));
  const engine = await readFile(engineFile);
  files.set(`engine-${createHash("sha256").update(engine).digest("hex").slice(0, 8).toUpperCase()}.wasm`, engine);
  const template = await readFile(join(root, explorer, "index.html"), "utf8");
  const page = template.replace(/\{(\w+)\}/g, (_, what) => {
    const start = what === "script" ? "main-" : `${what}-`;
    return `explorer/${[...files.keys()].find((name) => name.startsWith(start))}`;
  });
  files.set("index.html", Buffer.from(page));
  const compressed = await Promise.all([...files].flatMap(([name, contents]) => compress(name, contents)));
  const inputs = [...built.flatMap(({ metafile }) => Object.keys(metafile.inputs)), relative(root, engineFile)];
  return { files: new Map([...files, ...compressed]), inputs };
}

/** @param {Readonly<Record<string, string>>} entries files of the explorer by their names */
async function buildPages(entries) {
  return await build({
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
    metafile: true,
    logLevel: "silent",
  });
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
  const tools = (await filesBelow("tools")).filter((file) => !file.startsWith(explorer));
  // The types for authors of contracts are handed out as they stand; contracts are bundled from their sources, whose bytes name them.
  const sources = tools.filter((file) => /^tools\/(?:market|dispatch)\/.*\.ts$/.test(file));
  const others = tools.filter((file) => !/\.(?:ts|mts|mjs)$/.test(file) || file === "tools/contracts/author.ts");
  const assets = [...others, ...(await withImported(sources))];
  // Nothing is written before everything is built: a build that fails leaves the last good one.
  const [program, bundled, pages] = await Promise.all([buildMeterBundle(), bundle(), explorerOutput()]);
  const files = new Map(bundled.outputFiles.map(({ path, contents }) => [path, contents]));
  const licensed = await licences([...Object.keys(bundled.metafile.inputs), ...pages.inputs]);
  files.set(join(bundles, "licences.txt"), Buffer.from(licensed));
  for (const [name, contents] of pages.files) files.set(join(dist, explorer, name), contents);
  files.set(join(dist, "meter-xsnap.js"), Buffer.from(program));
  for (const entry of entryModules()) {
    const path = join(dist, `${entry}.js`);
    const start = `import "${relative(dirname(path), join(bundles, `${bundleOf(entry)}.js`))}";\n`;
    files.set(path, Buffer.from(entry === "tools/cli/gridseal" ? `#!/usr/bin/env node\n${start}` : start));
  }
  for (const asset of assets) files.set(join(dist, asset), await readFile(join(root, asset)));
  await Promise.all([...files].map(([path, contents]) => write(path, contents)));
  await removeAllBut(files);
  await chmod(join(dist, "tools/cli/gridseal.js"), 0o755);
  const took_ms = Math.round(performance.now() - started_ms);
  console.log(
    `dist: ${bundled.outputFiles.length} files and the meter's program (${program.length >> 10} kB) in ${took_ms} ms`,
  );
}

/** Paths of the modules that something starts with, without their ending: those of the package's scripts too. */
function entryModules() {
  const ofScripts = Object.values(scripts).flatMap((line) =>
    [...line.matchAll(/dist\/(tools\/lab\/\S+)\.js/g)].map(([, path]) => path),
  );
  return [
    ...Object.entries(entries).flatMap(([folder, names]) => names.map((name) => `${folder}/${name}`)),
    ...new Set(ofScripts),
  ];
}

/**
 * The name of the bundle that a module begins.
 * @param {string} entry
 */
function bundleOf(entry) {
  return entry.slice("tools/".length).replaceAll("/", ".");
}

/** What runs on Node, with the packages that it uses. */
async function bundle() {
  return await build({
    entryPoints: Object.fromEntries(entryModules().map((entry) => [bundleOf(entry), join(root, `${entry}.ts`)])),
    absWorkingDir: root,
    outdir: bundles,
    chunkNames: "part-[hash]",
    bundle: true,
    splitting: true,
    write: false,
    format: "esm",
    platform: "node",
    target: "node20",
    sourcemap: true,
    sourcesContent: false,
    // Packages of the older kind ask for what Node has of its own by `require`.
    banner: {
      js: 'import { createRequire as requireOf } from "node:module";\nconst require = requireOf(import.meta.url);',
    },
    external: installed.flatMap((name) => [name, `${name}/*`]),
    plugins: [{ name: "places", setup: placeModules }],
    legalComments: "none",
    metafile: true,
    logLevel: "silent",
  });
}

/**
 * What the packages in the bundles ask to be handed on with them: their licences, each under the name of its package.
 * @param {readonly string[]} inputs files that went into the bundles
 */
async function licences(inputs) {
  const folders = inputs.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0] ?? []);
  const texts = await Promise.all(
    [...new Set(folders)].sort().map(async (folder) => {
      const { name, version, license } = JSON.parse(await readFile(join(root, folder, "package.json"), "utf8"));
      const file = (await readdir(join(root, folder))).find((each) => /^licen[cs]e/i.test(each));
      const text = file === undefined ? "" : await readFile(join(root, folder, file), "utf8");
      return `${name} ${version}: ${license}\n\n${text.trim()}\n`;
    }),
  );
  return texts.join("\n---\n\n");
}

/**
 * A module in a bundle says where it is as if it stood in dist by itself: what it opens lies there.
 * @param {import("esbuild").PluginBuild} esbuild
 */
function placeModules({ onLoad }) {
  onLoad({ filter: /[\\/](?:tools|src)[\\/].*\.ts$/ }, async ({ path }) => {
    const file = relative(root, path);
    const quicker = onNode[/** @type {keyof typeof onNode} */ (file)];
    if (quicker !== undefined) {
      return { loader: "ts", contents: `export * from ${JSON.stringify(join(root, quicker))};`, resolveDir: root };
    }
    const source = await readFile(path, "utf8");
    if (!source.includes("import.meta.url")) return undefined;
    const place = JSON.stringify(`../${file.replace(/\.ts$/, ".js")}`);
    return { loader: "ts", contents: source.replaceAll("import.meta.url", `new URL(${place}, import.meta.url).href`) };
  });
}

/**
 * The sources with those that they import, and those that these import.
 * @param {readonly string[]} files
 */
async function withImported(files) {
  const found = new Set(files);
  for (const file of found) {
    const source = await readFile(join(root, file), "utf8");
    for (const [, path] of source.matchAll(/\bfrom "(\.[^"]+)\.js"/g)) found.add(join(dirname(file), `${path}.ts`));
  }
  return [...found];
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

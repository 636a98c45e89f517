// Rules taken away in the code itself: a text of a source file is replaced by another, the simulation is bundled with it, and runs
// with what comes out. A text that is not there exactly once is an error, so that a mutant cannot outlive its rule unnoticed.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { BuildOptions, OnLoadResult, OnResolveResult, Plugin } from "esbuild";
import type { runCluster } from "../cluster.js";
import type { Edit } from "./mutant.js";

const root = dirname(dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url))))));
const entry = join(root, "tools/lab/simulation/cluster.ts");
const bundling = {
  ...{ entryPoints: [entry], absWorkingDir: root, bundle: true, write: false, format: "esm" },
  ...{ platform: "node", target: "node20", logLevel: "silent" },
} as const satisfies BuildOptions;

/**
 * The simulation with the edits in it. What imports no edited file, however indirectly, is that of this process, as warm as it is. Runs
 * from the sources alone; rejects where an edit does not fit them.
 */
export async function runnerWith(edits: readonly Edit[]): Promise<typeof runCluster> {
  const { build } = await import("esbuild");
  const edited = await editedSources(edits);
  const changed = withImporters(await importersOf(), edited.keys());
  if (!changed.has(entry)) throw new Error(`${[...edited.keys()].join()}: no part of the simulation`);
  const result = await build({
    ...bundling,
    // What comes with a package, as the engine of contracts, is looked for from where the sources are.
    define: { "import.meta.url": JSON.stringify(pathToFileURL(entry).href) },
    plugins: [bundlingOnly(changed, edited)],
  });
  const folder = await mkdtemp(join(tmpdir(), "gridseal-mutant-"));
  try {
    const file = join(folder, "cluster.mjs");
    await writeFile(file, result.outputFiles[0]!.text);
    const module = (await import(pathToFileURL(file).href)) as { runCluster: typeof runCluster };
    return module.runCluster;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The files with their edits, by their paths. */
async function editedSources(edits: readonly Edit[]): Promise<Map<string, string>> {
  const edited = new Map<string, string>();
  for (const { file, replaced } of edits) {
    const path = join(root, file);
    let contents = edited.get(path) ?? (await readFile(path, "utf8"));
    for (const [text, instead] of replaced) {
      const parts = contents.split(text);
      if (parts.length !== 2) throw new Error(`${path}: stands there ${parts.length - 1} times, not once: ${text}`);
      contents = parts.join(instead);
    }
    edited.set(path, contents);
  }
  return edited;
}

type Importers = ReadonlyMap<string, readonly string[]>;

let importers: Promise<Importers> | undefined;

/** Of each of the simulation's files those that import it. */
function importersOf(): Promise<Importers> {
  importers ??= readImporters();
  return importers;
}

async function readImporters(): Promise<Importers> {
  const { build } = await import("esbuild");
  const { metafile } = await build({ ...bundling, metafile: true, packages: "external" });
  const found = new Map<string, string[]>();
  for (const [file, { imports }] of Object.entries(metafile.inputs)) {
    for (const { path, external } of imports) {
      if (external) continue;
      const imported = join(root, path);
      found.set(imported, [...(found.get(imported) ?? []), join(root, file)]);
    }
  }
  return found;
}

function withImporters(known: Importers, files: Iterable<string>): ReadonlySet<string> {
  const all = new Set(files);
  // A set is walked through with what is added to it meanwhile.
  for (const file of all) for (const importer of known.get(file) ?? []) all.add(importer);
  return all;
}

/** Packages and all other files are taken from where this process has them. */
function bundlingOnly(changed: ReadonlySet<string>, edited: ReadonlyMap<string, string>): Plugin {
  return {
    name: "edits",
    setup(build) {
      build.onResolve(
        { filter: /^[^./]/ },
        ({ path }): OnResolveResult =>
          path.startsWith("node:") ? { path, external: true } : { path: import.meta.resolve(path), external: true },
      );
      build.onResolve({ filter: /^\./ }, ({ path, resolveDir }): OnResolveResult => {
        const file = resolve(resolveDir, path).replace(/\.js$/, ".ts");
        return changed.has(file) ? { path: file } : { path: pathToFileURL(file).href, external: true };
      });
      build.onLoad({ filter: /\.ts$/ }, ({ path }): OnLoadResult | undefined => {
        const contents = edited.get(path);
        return contents === undefined ? undefined : { contents, loader: "ts" };
      });
    },
  };
}

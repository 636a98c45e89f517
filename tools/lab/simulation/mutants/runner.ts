// Rules taken away in the code itself: a text of a source file is replaced by another, the simulation is bundled with it, and runs
// with what comes out. A text that is not there exactly once is an error, so that a mutant cannot outlive its rule unnoticed.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { OnLoadResult, Plugin } from "esbuild";
import type { runCluster } from "../cluster.js";
import type { Edit } from "./mutant.js";

const root = dirname(dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url))))));

/** The simulation with the edits in it. Runs from the sources alone; rejects where an edit does not fit them. */
export async function runnerWith(edits: readonly Edit[]): Promise<typeof runCluster> {
  const { build } = await import("esbuild");
  const result = await build({
    entryPoints: [join(root, "tools/lab/simulation/cluster.ts")],
    absWorkingDir: root,
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "silent",
    // What comes with a package, as the engine of contracts, is looked for from where the sources are.
    define: { "import.meta.url": JSON.stringify(pathToFileURL(join(root, "tools/lab/simulation/cluster.ts")).href) },
    plugins: [editing(edits)],
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

function editing(edits: readonly Edit[]): Plugin {
  return {
    name: "edits",
    setup(build) {
      // Packages are taken from where this process has them; only the project's own modules are bundled.
      build.onResolve({ filter: /^[^./]/ }, ({ path }) =>
        path.startsWith("node:") ? { path, external: true } : { path: import.meta.resolve(path), external: true },
      );
      build.onLoad({ filter: /\.ts$/ }, ({ path }) => load(edits, path));
    },
  };
}

async function load(edits: readonly Edit[], path: string): Promise<OnLoadResult | undefined> {
  const mine = edits.filter(({ file }) => join(root, file) === path);
  if (mine.length === 0) return undefined;
  let contents = await readFile(path, "utf8");
  for (const [text, instead] of mine.flatMap(({ replaced }) => replaced)) {
    const parts = contents.split(text);
    if (parts.length !== 2) throw new Error(`${path}: stands there ${parts.length - 1} times, not once: ${text}`);
    contents = parts.join(instead);
  }
  return { contents, loader: "ts" };
}

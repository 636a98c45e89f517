// What a build of the firmware depends on, as one hash: the same hash means that building again would change nothing.

import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Sdk } from "./sdk.js";

/** Of the repository, by content. */
const sources = ["src", "hosts", "tools/firmware", "manifest.json", "package-lock.json"] as const;
/** Of the SDK, some 2,000 files, by size and time: what is built from, and the tools that build. */
const sdkSources = ["build/bin", "examples", "modules", "xs"] as const;

/** The hash of the sources below `root`, of the SDK and of what else `settings` says of a build. */
export async function fingerprint(root: string, sdk: Sdk, settings: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  const line = (...words: readonly unknown[]): void => void hash.update(`${JSON.stringify(words)}\n`);
  line(process.platform, process.arch, sdk.folder, ...settings);
  for (const path of await filesBelow(root, sources)) line(path, (await readFile(join(root, path))).toString("base64"));
  for (const path of await filesBelow(sdk.folder, sdkSources)) {
    const { size, mtimeMs } = await stat(join(sdk.folder, path));
    line(path, size, mtimeMs);
  }
  return hash.digest("hex");
}

/** The files at or below these places of a folder, in order. */
async function filesBelow(folder: string, places: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const place of places) {
    if ((await stat(join(folder, place))).isFile()) found.push(place);
    else
      for (const entry of await readdir(join(folder, place), { recursive: true, withFileTypes: true }))
        if (entry.isFile()) found.push(join(entry.parentPath, entry.name).slice(folder.length + 1));
  }
  return found.sort();
}

// The explorer as the build leaves it: files by their names, each compressed in both ways that browsers take.

import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";

export interface BuiltFile {
  readonly type: string;
  readonly bytes: Uint8Array;
  readonly compressed: { readonly br: Uint8Array; readonly gzip: Uint8Array };
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".wasm": "application/wasm",
};

let built: Promise<ReadonlyMap<string, BuiltFile>> | undefined;

/** The files by their names; none where they are not built. From the sources they are built now. */
export function builtExplorer(): Promise<ReadonlyMap<string, BuiltFile>> {
  built ??= readBuilt();
  return built;
}

async function readBuilt(): Promise<ReadonlyMap<string, BuiltFile>> {
  const contents = import.meta.url.endsWith(".ts") ? await buildNow() : await readFolder();
  const files = new Map<string, BuiltFile>();
  for (const [name, bytes] of contents) {
    const [br, gzip] = [contents.get(`${name}.br`), contents.get(`${name}.gz`)];
    const type = types[extname(name)];
    if (type !== undefined && br !== undefined && gzip !== undefined) {
      files.set(name, { type, bytes, compressed: { br, gzip } });
    }
  }
  return files;
}

async function buildNow(): Promise<ReadonlyMap<string, Uint8Array>> {
  const { buildExplorer } = await import("../../build.mjs");
  return buildExplorer();
}

async function readFolder(): Promise<ReadonlyMap<string, Uint8Array>> {
  const folder = fileURLToPath(new URL("../../explorer", import.meta.url));
  const names = await readdir(folder).catch(() => []);
  const read = async (name: string) => [name, await readFile(join(folder, name))] as const;
  return new Map(await Promise.all(names.map(read)));
}

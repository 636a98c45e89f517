// The program that meters run: the agent and this platform's host as one script, built by tools/build.mjs.

import { readFile } from "node:fs/promises";
import { GridsealError } from "../errors.js";

/** The script for XS: the one in dist, or, where this runs from the sources, one built now. */
export async function meterProgram(): Promise<string> {
  if (import.meta.url.endsWith(".ts")) {
    const { buildMeterBundle } = await import("../build.mjs");
    return buildMeterBundle();
  }
  const path = new URL("../../meter-xsnap.js", import.meta.url);
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new GridsealError("FILE_UNREADABLE", `the meter's program ${path.pathname} is missing: run npm run build`, {
      cause,
    });
  }
}

/** The text of a stack of the script with the source file in place of each line of the script. */
export function namePlaces(program: string, stack: string): string {
  const lines = program.split("\n");
  return stack.replace(/\(#\d+:(\d+)\)/g, (place, line: string) => `(${moduleAt(lines, Number(line)) ?? place})`);
}

/** The bundler writes a module's path in a comment above it. */
function moduleAt(lines: readonly string[], line: number): string | undefined {
  for (let above = Math.min(line, lines.length) - 1; above >= 0; above--) {
    const path = /^ {2}\/\/ (\S+\.(?:ts|js|cjs))$/.exec(lines[above]!)?.[1];
    if (path !== undefined) return path;
  }
  return undefined;
}

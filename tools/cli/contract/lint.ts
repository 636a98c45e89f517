// `gridseal contract lint`: finds what a contract must not use, before the engine does.

import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import { SOURCE_BYTES_MAX } from "../../contracts/limits.js";
import { GridsealError } from "../../errors.js";
import { readWhole } from "../../files/made-once.js";
import { bundleContract } from "../../provisioning/contracts/bundle.js";
import { printLines, toJson } from "../../terminal/output.js";
import type { Finding } from "./rules.js";

/** A file of a contract with its comments, which the module has not. */
const FILE_BYTES_MAX = 16 * SOURCE_BYTES_MAX;

export function registerLint(contract: Command): void {
  contract
    .command("lint")
    .description("find what a contract must not use, in all files that it is made of")
    .argument("<file>", "the contract's source")
    .option("--json", "print JSON")
    .action(lint);
}

async function lint(file: string, options: { readonly json?: true }): Promise<void> {
  // The compiler takes most of a second to load, which other commands need not wait for.
  const { lintSource } = await import("./rules.js");
  const { files, hash, bytes } = await bundleContract(file);
  const found: (Finding & { readonly file: string })[] = [];
  for (const path of files) {
    const text = new TextDecoder().decode(await readWhole(path, FILE_BYTES_MAX));
    for (const finding of lintSource(text, path)) found.push({ file: path, ...finding });
  }
  const lines = found.map(({ file, line, rule, what, remedy }) => `${file}:${line}: ${rule}: ${what}; ${remedy}`);
  if (options.json) printLines([toJson({ source: hash, bytes, findings: found })]);
  else printLines(lines.length > 0 ? lines : [`${file} is good: ${bytes} bytes, ${toHex(hash)}`]);
  if (found.length > 0) {
    throw new GridsealError("CONTRACT_INVALID", `${file} uses what a contract must not, ${found.length} times`);
  }
}

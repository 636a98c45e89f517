// `gridseal backup`: a copy of a node's store, made beside the running node.

import type { Command } from "commander";
import { readNodeConfiguration } from "../node/configuration.js";
import { printLines, toJson } from "../terminal/output.js";
import { withProgress } from "../terminal/progress.js";

export function registerBackup(program: Command): void {
  program
    .command("backup")
    .description("copy a node's store, beside the running node too")
    .argument("<config>", "the node's node.json, or its folder")
    .argument("<folder>", "the new folder to write the copy to")
    .option("--json", "print JSON")
    .action(backup);
}

async function backup(config: string, folder: string, { json }: { readonly json?: true }): Promise<void> {
  const { data } = await readNodeConfiguration(config);
  const { backupStore } = await import("../node/store/backup.js");
  await withProgress(async (tell) => {
    tell({ what: `copying ${data}` });
    await backupStore(data, folder);
  });
  if (json) return printLines([toJson({ from: data, to: folder })]);
  printLines([`copied ${data} to ${folder}`, `next, where ${data} is lost: gridseal restore ${config} ${folder}`]);
}

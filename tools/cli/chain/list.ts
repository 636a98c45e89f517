// `gridseal chain list`: the chains that a node or a file has, with their heights.

import type { Command } from "commander";
import { type SourceOptions, withSource } from "../../sources/open.js";
import { withNode } from "../../terminal/arguments.js";
import { printLines, table, timeText, toJson } from "../../terminal/output.js";
import { noteTold } from "../told.js";

export function registerList(chain: Command): void {
  withNode(chain.command("list").description("list chains: height, records, violations"))
    .argument("[file]", "exported chain")
    .option("--json", "print JSON")
    .action(list);
}

async function list(file: string | undefined, options: SourceOptions & { readonly json?: true }): Promise<void> {
  await withSource(file, options, async (source) => {
    const chains = await source.chains();
    if (options.json) {
      printLines([toJson(chains)]);
      return;
    }
    const rows = chains.map(({ service, name, height, records, violations, time_ms, header }) => [
      service,
      name,
      height,
      records,
      violations,
      height === 0 || time_ms === null ? "-" : timeText(time_ms),
      header.slice(0, 16),
    ]);
    noteTold(source.origin, "`chain audit` checks whole chains", options);
    printLines(table(["SERVICE", "NAME", "HEIGHT", "RECORDS", "VIOLATIONS", "TIMESTAMP", "HEADER"], rows));
  });
}

// `gridseal study list`: studies of the mining chain, with what has become of them, and what requesters have spent.

import type { Command } from "commander";
import type { Study } from "../../market/mining/kinds.js";
import { type SourceOptions, withNodeSource } from "../../sources/open.js";
import { chainOfSource, type StateEntry } from "../../sources/source.js";
import { withNode } from "../../terminal/arguments.js";
import { printLines, printNote, secondText, table, toJson } from "../../terminal/output.js";
import { noteTold } from "../told.js";

interface ListOptions extends SourceOptions {
  readonly service: string;
  readonly contract: string;
  readonly json?: true;
}

export function registerList(study: Command): void {
  withNode(study.command("list").description("list sealed studies and what requesters have spent, as the node says it"))
    .option("--service <name>", "name or number of the mining chain's service", "mining")
    .option("--contract <name>", "the contract", "mining")
    .option("--json", "print JSON, a line a study")
    .action(list);
}

async function list({ contract, json, ...options }: ListOptions): Promise<void> {
  await withNodeSource(options, async (source) => {
    const { service } = await chainOfSource(source, options.service);
    const read = async (prefix: string) => {
      const found: StateEntry[] = [];
      for await (const { key, value } of source.stateEntries({ service, contract, prefix })) {
        found.push({ key: key.slice(prefix.length), value });
      }
      return found;
    };
    const studies = (await read("study/")).map(({ key, value }) => [key, value as Study] as const);
    const budgets = (await read("budget/")).map(({ key, value }) => [key, value as readonly [number, number]] as const);
    if (json) {
      for (const [id, study] of studies) printLines([toJson({ study: id, ...study })]);
      for (const [issued_id, [window, spent]] of budgets) printLines([toJson({ issued_id, window, spent })]);
      return;
    }
    const rows = studies.map(([id, study]) => [
      ...[id, study.state, study.kind, study.cohort, study.result?.group ?? study.size, study.cost],
      secondText(study.from_s).slice(0, "2026-11-30".length),
    ]);
    printLines(table(["STUDY", "STATE", "KIND", "COHORT", "GROUP", "COST", "FROM"], rows));
    if (budgets.length > 0) {
      const spent = budgets.map(([issued_id, [, all]]) => [issued_id, all]);
      printLines(["", ...table(["REQUESTER", "SPENT OF ITS BUDGET"], spent)]);
    }
    noteTold(source.origin, "`study verify` computes one again from a verified export", options);
    if (studies.length === 0) printNote(`${source.origin} has no study: gridseal study ask signs one`);
  });
}

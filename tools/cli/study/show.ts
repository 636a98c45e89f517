// `gridseal study show`: one sealed study, proved.

import type { Command } from "commander";
import { readGenesisFile } from "../../files/genesis-file.js";
import type { Result } from "../../market/mining/kinds.js";
import { type SourceOptions, withNodeSource } from "../../sources/open.js";
import { withNode } from "../../terminal/arguments.js";
import { pairs, printLines, secondText, table, toJson } from "../../terminal/output.js";
import { purposes } from "../access/purposes.js";
import { checkedText, toldText } from "../told.js";
import { sealedStudy } from "./sealed.js";

interface ShowOptions extends SourceOptions {
  readonly service: string;
  readonly contract: string;
  readonly json?: true;
}

export function registerShow(study: Command): void {
  withNode(study.command("show").description("show a sealed study: what it is of, what it came to, who has checked it"))
    .argument("<study>", "as `study list` names it")
    .option("--service <name>", "name or number of the mining chain's service", "mining")
    .option("--contract <name>", "the contract", "mining")
    .option("--json", "print JSON")
    .action(show);
}

async function show(id: string, { contract, json, ...options }: ShowOptions): Promise<void> {
  await withNodeSource(options, async (source) => {
    const genesis = options.genesis === undefined ? undefined : (await readGenesisFile(options.genesis)).genesis;
    const study = await sealedStudy(source, { chain: options.service, contract, id, genesis });
    if (json) return printLines([toJson({ study: id, isProved: genesis !== undefined, ...study })]);
    const { result, checks } = study;
    printLines([
      ...pairs([
        ["study", `${id}, ${study.state}`],
        ["what", `${study.kind} for ${purposes[study.purpose - 1]}`],
        ["query", study.query],
        ["of", `chain ${study.service}, ${secondText(study.from_s)} to ${secondText(study.to_s)}`],
        ["cohort", `${study.cohort}, ${study.size} ${study.class} members`],
        ["digest", study.digest],
        ["cost", study.cost],
        ...(result === null ? [] : resultPairs(result)),
        [
          "sealed",
          genesis === undefined
            ? toldText(source.origin, "--genesis FILE proves it")
            : checkedText("by proof of what the chain keeps", genesis),
        ],
      ]),
      ...(checks.length === 0
        ? []
        : [
            "",
            ...table(
              ["CHECKED BY", "CAME TO", "BLOCK"],
              checks.map(([by, isSame, height]) => [by, isSame ? "the same" : "something else", height]),
            ),
          ]),
    ]);
  });
}

function resultPairs({ to, header, group, largest_permille, result, by, engine, height }: Result) {
  return [
    ["read", `up to block ${to}`],
    ["header", header],
    ["group", `${group} members, the largest has ${largest_permille} per mille`],
    ["result", result],
    ["by", `${by} with ${engine}, sealed in block ${height}`],
  ] as const;
}

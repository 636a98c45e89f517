// `gridseal study run`: computes a study from an export.

import { type Command, Option } from "commander";
import type { Export } from "../../analytics/read.js";
import { chainIn, resultHash, resultText } from "../../analytics/study.js";
import { type StudyFields, type StudyTerms, termsFrom } from "../../analytics/terms.js";
import { GridsealError } from "../../errors.js";
import { createFile } from "../../files/made-once.js";
import { studyKinds } from "../../market/mining/kinds.js";
import { moment, whole } from "../../terminal/arguments.js";
import { pairs, printLines, secondText, toJson } from "../../terminal/output.js";
import { figureLines } from "./figures.js";
import { compute, openExport, readTerms } from "./read-study.js";

interface RunOptions {
  readonly service?: string;
  readonly from?: number;
  readonly to?: number;
  readonly slot?: number;
  readonly audience?: string;
  readonly feeder?: string;
  readonly out?: string;
  readonly json?: true;
}

export function registerRun(study: Command): void {
  study
    .command("run")
    .description(`compute a study: ${studyKinds.join(", ")}`)
    .argument("<what>", "file of the study, or its kind where the options below say the rest")
    .argument("<export>", "folder that `analytics export` made")
    .option("--service <name>", "name or number of the chain's service")
    .option("--from <time>", "begin of the first slot, as 2026-03-29T00:00:00Z", moment)
    .option("--to <time>", "end of the last slot", moment)
    .option("--slot <seconds>", "length of a slot", whole(1, 86_400))
    .option("--feeder <id>", "meter of the feeder, of feeder-loss")
    .addOption(
      new Option("--audience <who>", "figures of groups alone, or of single members too").choices([
        "aggregate",
        "members",
      ]),
    )
    .option("-o, --out <file>", "file to make of the result: its SHA-256 stands for the study")
    .option("--json", "print JSON")
    .action(run);
}

async function run(what: string, folder: string, options: RunOptions): Promise<void> {
  const of = await openExport(folder);
  const terms = await termsOf(what, options, of);
  const result = await compute(of, terms);
  const hash = resultHash(result);
  if (options.out !== undefined) await createFile(options.out, `${resultText(result)}\n`);
  if (options.json) {
    printLines([toJson({ hash, ...result, ...(options.out !== undefined && { file: options.out }) })]);
    return;
  }
  printLines([
    ...pairs([
      ["study", `${result.kind} of chain ${result.service} up to block ${result.to}`],
      ["period", `${secondText(result.from_s)} to ${secondText(result.to_s)}`],
      ["group", `${result.group} members, the largest has ${result.largest_permille} per mille`],
      ["query", result.query],
      ["result", hash],
    ]),
    "",
    ...figureLines(result.kind, result.figures),
    ...(options.out === undefined ? [] : [`${options.out} has it`]),
  ]);
}

/** A file says all of it; a kind is of all meters of the export. */
async function termsOf(what: string, options: RunOptions, of: Export): Promise<StudyTerms> {
  if (!(studyKinds as readonly string[]).includes(what)) {
    const { service, from, to, slot, feeder, audience } = options;
    if ([service, from, to, slot, feeder, audience].some((option) => option !== undefined)) {
      throw new GridsealError(
        "USAGE",
        `${what} is a file, which says all of the study: the options are for a kind alone`,
      );
    }
    return readTerms(what);
  }
  const { service, from, to, slot, feeder, audience } = options;
  if (service === undefined || from === undefined || to === undefined) {
    throw new GridsealError("USAGE", "a kind needs --service, --from and --to");
  }
  const fields: StudyFields = {
    ...{ kind: what, service: chainIn(of, service).service, from: secondText(from), to: secondText(to) },
    ...(slot !== undefined && { slot_s: slot }),
    ...(feeder !== undefined && { feeder }),
    ...(audience !== undefined && { audience }),
  };
  return termsFrom(fields, "the options");
}

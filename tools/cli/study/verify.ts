// `gridseal study verify`: runs a study again from an export and holds what it comes to against a result's file, or against the mining
// chain.

import type { Command } from "commander";
import { resultHash, type StudyResult } from "../../analytics/study.js";
import type { StudyTerms } from "../../analytics/terms.js";
import { GridsealError } from "../../errors.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import type { Study } from "../../market/mining/kinds.js";
import { type SourceOptions, withNodeSource } from "../../sources/open.js";
import { withNode } from "../../terminal/arguments.js";
import { printLines, toJson } from "../../terminal/output.js";
import { compute, openExport, readResult, readTerms } from "./read-study.js";
import { sealedStudy } from "./sealed.js";

interface VerifyOptions extends SourceOptions {
  readonly result?: string;
  readonly study?: string;
  readonly service: string;
  readonly contract: string;
  readonly json?: true;
}

export function registerVerify(study: Command): void {
  withNode(study.command("verify").description("run a study again and compare it with a result or a sealed study"))
    .argument("<file>", "file of the study")
    .argument("<export>", "folder that `analytics export` made, up to the block that the study names")
    .option("--result <file>", "what `study run` has made")
    .option("--study <name>", "the sealed study, as `study list` names it; with --api and --genesis")
    .option("--service <name>", "name or number of the mining chain's service", "mining")
    .option("--contract <name>", "the contract", "mining")
    .option("--json", "print JSON")
    .action(verify);
}

async function verify(path: string, folder: string, options: VerifyOptions): Promise<void> {
  const { result: resultPath, study: id, json } = options;
  if ((resultPath === undefined) === (id === undefined)) {
    throw new GridsealError("USAGE", "name what to compare with: either --result FILE or --study NAME");
  }
  const terms = await readTerms(path);
  const again = await compute(await openExport(folder), terms);
  const hash = resultHash(again);
  const complaint =
    resultPath !== undefined
      ? await resultComplaint(resultPath, again, hash)
      : await sealedComplaint(await sealed(id!, options), { terms, again, hash });
  if (json)
    printLines([toJson({ hash, isSame: complaint === undefined, ...(complaint !== undefined && { complaint }) })]);
  if (complaint !== undefined) throw new GridsealError("STUDY_DIFFERS", complaint);
  if (!json) printLines([`the same: ${hash}`, `of ${again.group} members, read up to block ${again.to}`]);
}

async function sealed(id: string, { service, contract, ...options }: VerifyOptions): Promise<Study> {
  if (options.genesis === undefined) {
    throw new GridsealError("USAGE", "name the genesis with --genesis: what is sealed is proved against it");
  }
  const { genesis } = await readGenesisFile(options.genesis);
  return withNodeSource(options, (source) => sealedStudy(source, { chain: service, contract, id, genesis }));
}

async function resultComplaint(path: string, again: StudyResult, hash: string): Promise<string | undefined> {
  const { result, hash: said } = await readResult(path);
  return said === hash
    ? undefined
    : (fieldComplaint(result, again) ?? `${path} has other figures: ${said}, and here ${hash}`);
}

interface Again {
  readonly terms: StudyTerms;
  readonly again: StudyResult;
  readonly hash: string;
}

async function sealedComplaint(study: Study, { terms, again, hash }: Again): Promise<string | undefined> {
  const { result } = study;
  if (result === null) throw new GridsealError("NOT_FOUND", `the study has no result: it is ${study.state}`);
  if (terms.audience !== "aggregate") return "a sealed study is of groups alone, and the file's figures are of members";
  const { group, largest_permille, to, header, engine } = result;
  const { kind, query, cohort, digest, class: of, service, from_s, to_s } = study;
  const said = {
    kind,
    query,
    cohort,
    digest,
    class: of,
    service,
    from_s,
    to_s,
    to,
    header,
    engine,
    group,
    largest_permille,
  };
  if (terms.least !== study.least) return `its least is ${study.least}, and the file's ${terms.least}`;
  if (terms.members?.length !== study.size) {
    return `the cohort has ${study.size} members, and the file ${terms.members?.length ?? "names none"}`;
  }
  return (
    fieldComplaint(said, again) ??
    (result.result === hash ? undefined : `it is sealed with ${result.result}, and comes to ${hash}`)
  );
}

/** The first field in which two differ, beside their figures. */
function fieldComplaint(said: Omit<StudyResult, "figures">, again: StudyResult): string | undefined {
  const names = [
    "kind",
    "query",
    "cohort",
    "digest",
    "class",
    "service",
    "from_s",
    "to_s",
    "to",
    "header",
    "engine",
    "group",
    "largest_permille",
  ] as const;
  const different = names.find((name) => said[name] !== again[name]);
  return different && `its ${different} is ${said[different]}, and here ${again[different]}`;
}

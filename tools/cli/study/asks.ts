// `gridseal study cohort | ask | seal | check`: what participants ask of the mining contract, signed into their folders.

import { type Command, Option } from "commander";
import type { Value } from "../../../src/wire/value.js";
import { queryHash, type StudyTerms } from "../../analytics/terms.js";
import { GridsealError } from "../../errors.js";
import { cohortDigest, monthOf } from "../../market/mining/cohorts.js";
import { operationTypes } from "../../market/mining/kinds.js";
import { moment } from "../../terminal/arguments.js";
import { printLines, toJson } from "../../terminal/output.js";
import { purposes } from "../access/purposes.js";
import { signIn } from "../operation/sign.js";
import { readResult, readTerms } from "./read-study.js";

interface AskOptions {
  readonly as: string;
  readonly service: string;
  readonly json?: true;
}

export function registerAsks(study: Command): void {
  withSigner(study.command("cohort").description("sign the group of a study's file, as who administers metered data"))
    .argument("<file>", "file of a study of the group")
    .requiredOption("--from <time>", "a time in the month from which the group is so", moment)
    .action(stateCohort);
  withSigner(study.command("ask").description("sign a study that is wanted; its requester's budget pays for it"))
    .argument("<file>", "file of the study")
    .addOption(new Option("--purpose <name>", "what for").choices(purposes).makeOptionMandatory())
    .action(askStudy);
  withSigner(study.command("seal").description("sign what an asked study has come to"))
    .argument("<study>", "as `study list` names it")
    .argument("<result>", "what `study run` has made")
    .action(sealStudy);
  withSigner(study.command("check").description("sign what one's own run of a sealed study has come to"))
    .argument("<study>", "as `study list` names it")
    .argument("<result>", "what one's own `study run` has made")
    .action(checkStudy);
}

function withSigner(command: Command): Command {
  return command
    .requiredOption("--as <dir>", "folder of who asks: key.json, genesis.cbor, credential.cbor")
    .option("--service <name>", "name or number of the mining chain's service", "mining")
    .option("--json", "print JSON");
}

async function sign(type: number, body: { readonly [name: string]: Value }, options: AskOptions): Promise<void> {
  await signIn(options.as, options.service, { type, body });
  printLines(
    options.json
      ? [toJson({ type, ...body })]
      : [
          `an operation of type ${type} is signed`,
          `next: gridseal operation submit --as ${options.as} --api URL --wait`,
        ],
  );
}

/** Throws FILE_INVALID where the file has no members. */
function membersOf({ members }: StudyTerms, path: string): readonly string[] {
  if (members !== undefined) return members;
  throw new GridsealError("FILE_INVALID", `${path} names no members: a group that is sealed is a list of meters`);
}

async function stateCohort(path: string, { from, ...options }: AskOptions & { readonly from: number }): Promise<void> {
  const terms = await readTerms(path);
  const members = membersOf(terms, path);
  const { cohort: name, class: of } = terms;
  const body = { name, class: of, digest: cohortDigest(members), size: members.length, from: monthOf(from) };
  await sign(operationTypes.cohort, body, options);
}

interface StudyOptions extends AskOptions {
  readonly purpose: (typeof purposes)[number];
}

async function askStudy(path: string, { purpose: name, ...options }: StudyOptions): Promise<void> {
  const terms = await readTerms(path);
  membersOf(terms, path);
  if (terms.audience !== "aggregate") {
    throw new GridsealError(
      "FILE_INVALID",
      `${path} has the audience members: third parties get figures of groups alone`,
    );
  }
  const { kind, cohort, service, from_s, to_s, least } = terms;
  const purpose = purposes.indexOf(name) + 1;
  await sign(
    operationTypes.ask,
    { purpose, kind, cohort, service, from_s, to_s, least, query: queryHash(terms) },
    options,
  );
}

async function sealStudy(study: string, path: string, options: AskOptions): Promise<void> {
  const { hash, result } = await readResult(path);
  const { to, header, engine, group, largest_permille } = result;
  await sign(operationTypes.result, { study, to, header, engine, group, largest_permille, result: hash }, options);
}

async function checkStudy(study: string, path: string, options: AskOptions): Promise<void> {
  const { hash } = await readResult(path);
  await sign(operationTypes.check, { study, result: hash }, options);
}

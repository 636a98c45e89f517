// `gridseal authority enrolment take`: takes enrolments that came as files.

import type { Command } from "commander";
import { ENROLMENT_BYTES_MAX } from "../../../../src/wire/enrolment.js";
import { anyNonce, type EnrolmentOutcome, takeEnrolment } from "../../../authority/enrolment/take.js";
import { DAYS_DEFAULT } from "../../../authority/issue.js";
import { GridsealError } from "../../../errors.js";
import { readWhole, refuseExisting } from "../../../files/made-once.js";
import { whole } from "../../../terminal/arguments.js";
import { printLines } from "../../../terminal/output.js";
import { withAuthority } from "../authority-options.js";
import { type EnrollingOptions, useEnrolling } from "../enrolling.js";
import { outcomeLine, writeAnswer } from "./outcome.js";

interface TakeOptions extends EnrollingOptions {
  readonly out?: string;
  readonly json?: true;
}

export function registerTake(enrolment: Command): void {
  withAuthority(enrolment.command("take").description("take enrolments that came as files"))
    .argument("<file...>", "as `gridseal enrolment make` writes them, one in each")
    .option("-o, --out <file>", "file to make of the answers to those that are granted or refused at once")
    .option("--days <count>", "validity of credentials", whole(1, 36_500), DAYS_DEFAULT)
    .option("--json", "print a JSON document a file")
    .action(take);
}

async function take(files: readonly string[], options: TakeOptions): Promise<void> {
  const { out, json } = options;
  if (out !== undefined) await refuseExisting(out);
  const messages: Uint8Array[] = [];
  for (const file of files) messages.push(await readWhole(file, ENROLMENT_BYTES_MAX));
  const outcomes = await useEnrolling(options, anyNonce, (enrolling): readonly EnrolmentOutcome[] =>
    messages.map((bytes) => takeEnrolment(enrolling, bytes)),
  );
  if (out !== undefined) await writeAnswer(out, outcomes);
  printLines(outcomes.map((outcome, place) => (json ? "" : `${files[place]}: `) + outcomeLine(outcome, options)));
  const refused = outcomes.filter(({ type }) => type === "refused").length;
  if (refused === 0) return;
  throw new GridsealError("ENROLMENT_REFUSED", `${refused} of ${files.length} enrolments are refused`);
}

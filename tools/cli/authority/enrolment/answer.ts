// `gridseal authority enrolment answer`: the file that goes back to who has asked.

import type { Command } from "commander";
import { outcomeOf } from "../../../authority/enrolment/take.js";
import { GridsealError } from "../../../errors.js";
import { keyIdText } from "../../../terminal/arguments.js";
import { countText, printLines } from "../../../terminal/output.js";
import { type AuthorityOptions, useRegister, withAuthority } from "../authority-options.js";
import { outcomeLine, writeAnswer } from "./outcome.js";

interface AnswerOptions extends AuthorityOptions {
  readonly out: string;
  readonly json?: true;
}

export function registerAnswer(enrolment: Command): void {
  withAuthority(enrolment.command("answer").description("write the answer to an enrolment that is granted or refused"))
    .argument("<key>", "its key id", keyIdText)
    .requiredOption("-o, --out <file>", "file to make")
    .option("--json", "print JSON")
    .action(answer);
}

async function answer(key: string, options: AnswerOptions): Promise<void> {
  const outcome = await useRegister(options, (register) => {
    const row = register.get("enrolments", key);
    if (row === undefined) throw new GridsealError("NOT_FOUND", `there is no enrolment of key ${key}`);
    return outcomeOf(register, key, row);
  });
  if (outcome.type === "waiting") {
    throw new GridsealError("USAGE", `the enrolment of key ${key} waits for ${countText(outcome.missing, "approval")}`);
  }
  await writeAnswer(options.out, [outcome]);
  printLines([outcomeLine(outcome, options)]);
}

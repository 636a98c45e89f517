// `gridseal access subject` and `confirm`: whose consent counts for a meter; stated by an administrator, confirmed by who loses days.

import type { Command } from "commander";
import { keyIdText, participantText, utcDay } from "../../terminal/arguments.js";
import { statedName } from "./names.js";
import { type AccessOptions, signAccess, signAnswer, withAccessOptions } from "./sign-access.js";

interface SubjectOptions extends AccessOptions {
  readonly meter: string;
  readonly participant: string;
  readonly from: number;
  readonly until?: number;
}

export function registerSubject(access: Command): void {
  withAccessOptions(access.command("subject").description("say whose consent counts for a meter"))
    .requiredOption("--meter <id>", "the meter", keyIdText)
    .requiredOption("--participant <id>", "id of the key of who is its subject", participantText)
    .requiredOption("--from <day>", "first day, as 2026-03-29", utcDay)
    .option("--until <day>", "day behind the last; none where absent", utcDay)
    .action(({ meter, participant, from, until, ...options }: SubjectOptions) =>
      signAccess(options, "subject", [meter, participant, from, until ?? null]),
    );
}

interface ConfirmOptions extends AccessOptions {
  readonly meter: string;
  readonly refuse?: true;
}

export function registerConfirm(access: Command): void {
  withAccessOptions(
    access
      .command("confirm")
      .description("confirm that somebody else is a meter's subject from a day on")
      .argument("<statement>", "as `access subject` has named it", statedName),
  )
    .requiredOption("--meter <id>", "the meter", keyIdText)
    .option("--refuse", "say that it is wrong")
    .action((statement: string, { meter, refuse, ...options }: ConfirmOptions) =>
      signAnswer(options, "confirmation", [statement], [meter, statement, refuse !== true]),
    );
}

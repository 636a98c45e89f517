// `gridseal access subject` and `confirm`: whose consent counts for a meter; stated by an administrator, confirmed by who loses days.

import type { Command } from "commander";
import { utcDay } from "../../terminal/arguments.js";
import { keyIdOf, type NamingOptions, withNaming } from "./key-id.js";
import { statedName } from "./names.js";
import { type AccessOptions, signAccess, signAnswer, withAccessOptions } from "./sign-access.js";

interface SubjectOptions extends AccessOptions, NamingOptions {
  readonly meter: string;
  readonly participant: string;
  readonly from: number;
  readonly until?: number;
}

export function registerSubject(access: Command): void {
  withNaming(withAccessOptions(access.command("subject").description("say whose consent counts for a meter")))
    .requiredOption("--meter <meter>", "the meter, by its ID or key id")
    .requiredOption("--participant <participant>", "who is its subject, by his ID or key id")
    .requiredOption("--from <day>", "first day, as 2026-03-29", utcDay)
    .option("--until <day>", "day behind the last; none where absent", utcDay)
    .action(async ({ meter, participant, from, until, ...options }: SubjectOptions) => {
      const named = [await keyIdOf(meter, options), await keyIdOf(participant, options)];
      await signAccess(options, "subject", [...named, from, until ?? null]);
    });
}

interface ConfirmOptions extends AccessOptions, NamingOptions {
  readonly meter: string;
  readonly refuse?: true;
}

export function registerConfirm(access: Command): void {
  withNaming(
    withAccessOptions(
      access
        .command("confirm")
        .description("confirm that somebody else is a meter's subject from a day on")
        .argument("<statement>", "as `access subject` has named it", statedName),
    ),
  )
    .requiredOption("--meter <meter>", "the meter, by its ID or key id")
    .option("--refuse", "say that it is wrong")
    .action(async (statement: string, { meter, refuse, ...options }: ConfirmOptions) => {
      const named = await keyIdOf(meter, options);
      await signAnswer(options, "confirmation", [statement], [named, statement, refuse !== true]);
    });
}

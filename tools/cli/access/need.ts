// `gridseal access need`: what data is wanted for, published once.

import { type Command, Option } from "commander";
import { whole } from "../../terminal/arguments.js";
import { purposes } from "./purposes.js";
import { type AccessOptions, signAccess, withAccessOptions } from "./sign-access.js";

interface NeedOptions extends AccessOptions {
  readonly purpose: (typeof purposes)[number];
  readonly days: number;
  readonly text: string;
}

const DAYS_MAX = 3_660;

export function registerNeed(access: Command): void {
  withAccessOptions(access.command("need").description("publish what data is wanted for"))
    .addOption(new Option("--purpose <name>", "what for").choices(purposes).makeOptionMandatory())
    .requiredOption("--days <number>", "longest period that is asked for", whole(1, DAYS_MAX))
    .requiredOption("--text <text>", "what it says to who is asked, at most 200 characters")
    .action(({ purpose, days, text, ...options }: NeedOptions) =>
      signAccess(options, "need", [purposes.indexOf(purpose) + 1, days, text]),
    );
}

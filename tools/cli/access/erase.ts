// `gridseal access erase`: what a meter confided on some days is kept by nobody from then on.

import type { Command } from "commander";
import { keyIdText, utcDay } from "../../terminal/arguments.js";
import { type AccessOptions, signAccess, withAccessOptions } from "./sign-access.js";

interface EraseOptions extends AccessOptions {
  readonly meter: string;
  readonly from: number;
  readonly until: number;
  readonly reason: string;
}

export function registerErase(access: Command): void {
  withAccessOptions(
    access
      .command("erase")
      .description("have what a meter confided on some days erased, as its subject or by legal order"),
  )
    .requiredOption("--meter <id>", "the meter", keyIdText)
    .requiredOption("--from <day>", "first day, as 2026-03-29", utcDay)
    .requiredOption("--until <day>", "day behind the last, no later than today", utcDay)
    .option("--reason <text>", "the legal order, at most 200 characters; none where the subject asks", "")
    .action(({ meter, from, until, reason, ...options }: EraseOptions) =>
      signAccess(options, "erasure", [meter, from, until, reason]),
    );
}

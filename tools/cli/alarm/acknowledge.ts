// `gridseal alarm acknowledge`: somebody knows of the alarm. It stands until its cause is gone, and is not told again.

import type { Command } from "commander";
import { GridsealError } from "../../errors.js";
import { whole } from "../../terminal/arguments.js";
import { printLines } from "../../terminal/output.js";
import { askDesk } from "./desk-answer.js";

export function registerAcknowledge(alarm: Command): void {
  alarm
    .command("acknowledge")
    .description("say that somebody knows of an alarm: it stands until its cause is gone, and is not told again")
    .argument("<id>", "its id, 8 hex digits")
    .requiredOption("--metrics <port>", "the monitor's own port", whole(1, 65_535))
    .action(acknowledge);
}

async function acknowledge(id: string, { metrics }: { readonly metrics: number }): Promise<void> {
  if (!/^[0-9a-f]{8}$/.test(id)) throw new GridsealError("USAGE", `an alarm's id has 8 hex digits: ${id}`);
  await askDesk(metrics, `/alarms/${id}/acknowledge`, "POST");
  printLines([`${id} is acknowledged`]);
}

// `gridseal alarm acknowledge`: somebody knows of the alarm. It stands until its cause is gone, and is not told again.

import type { Command } from "commander";
import { GridsealError } from "../../errors.js";
import { readDeskToken } from "../../monitor/desk-token.js";
import { whole } from "../../terminal/arguments.js";
import { printLines } from "../../terminal/output.js";
import { askDesk } from "./desk-answer.js";

export function registerAcknowledge(alarm: Command): void {
  alarm
    .command("acknowledge")
    .description("say that somebody knows of an alarm: it stands until its cause is gone, and is not told again")
    .argument("<id>", "its ID, 8 hex digits")
    .requiredOption("--metrics <port>", "the monitor's own port", whole(1, 65_535))
    .requiredOption("--state <dir>", "the monitor's own folder, as it was started with: its token is there")
    .action(acknowledge);
}

interface AcknowledgeOptions {
  readonly metrics: number;
  readonly state: string;
}

async function acknowledge(id: string, { metrics, state }: AcknowledgeOptions): Promise<void> {
  if (!/^[0-9a-f]{8}$/.test(id)) throw new GridsealError("USAGE", `an alarm's id has 8 hex digits: ${id}`);
  await askDesk(metrics, `/alarms/${id}/acknowledge`, { method: "POST", token: await readDeskToken(state) });
  printLines([`${id} is acknowledged`]);
}

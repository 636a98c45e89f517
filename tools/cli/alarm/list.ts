// `gridseal alarm list`: the alarms that stand at a monitor of this machine.

import { Check } from "@sinclair/typebox/value";
import type { Command } from "commander";
import { GridsealError } from "../../errors.js";
import { whole } from "../../terminal/arguments.js";
import { printLines, table, toJson } from "../../terminal/output.js";
import { askDesk, StandingAlarms } from "./desk-answer.js";

export function registerList(alarm: Command): void {
  alarm
    .command("list")
    .description("list the alarms that stand")
    .requiredOption("--metrics <port>", "the monitor's own port", whole(1, 65_535))
    .option("--json", "print JSON")
    .action(list);
}

async function list({ metrics, json }: { readonly metrics: number; readonly json?: true }): Promise<void> {
  const alarms = await askDesk(metrics, "/alarms", { method: "GET" });
  if (!Check(StandingAlarms, alarms)) {
    throw new GridsealError("NODE_UNREACHABLE", `what answers on port ${metrics} is no monitor`);
  }
  if (json) return printLines([toJson(alarms)]);
  const rows = alarms.map(({ id, time, alarm, state, node = "", what }) => [id, time, alarm, state, node, what]);
  printLines(table(["ID", "SINCE", "ALARM", "STATE", "NODE", "WHAT"], rows));
}

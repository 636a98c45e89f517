// `gridseal alarm`: the alarms that stand at a monitor, and acknowledging one.

import type { Command } from "commander";
import { registerAcknowledge } from "./acknowledge.js";
import { registerList } from "./list.js";

export function registerAlarm(program: Command): void {
  const alarm = program.command("alarm").description("alarms that stand at a monitor of this machine");
  registerList(alarm);
  registerAcknowledge(alarm);
}

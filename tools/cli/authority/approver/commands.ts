// `gridseal authority approver`: who grants enrolments, each with a key of its own.

import type { Command } from "commander";
import { registerAdd } from "./add.js";
import { registerList } from "./list.js";
import { registerStop } from "./stop.js";

export function registerApprover(authority: Command): void {
  const approver = authority.command("approver").description("say who may grant or refuse enrolments");
  registerAdd(approver);
  registerList(approver);
  registerStop(approver);
}

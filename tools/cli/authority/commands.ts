// `gridseal authority`: the commands that only the authority of a network can give.

import type { Command } from "commander";
import { registerIssue } from "./issue.js";
import { registerNode } from "./node.js";
import { registerOrder } from "./order/commands.js";

export function registerAuthority(program: Command): void {
  const authority = program.command("authority").description("what only the authority of a network can do");
  registerIssue(authority);
  registerOrder(authority);
  registerNode(authority);
}

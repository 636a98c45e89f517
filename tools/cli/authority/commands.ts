// `gridseal authority`: the commands that only the authority of a network can give.

import type { Command } from "commander";
import { registerAssign } from "./assign.js";
import { registerAudit } from "./audit.js";
import { registerBroker } from "./broker.js";
import { registerExport } from "./export.js";
import { registerAuthorityInit } from "./init.js";
import { registerIssue } from "./issue.js";
import { registerList } from "./list.js";
import { registerNode } from "./node.js";
import { registerOrder } from "./order/commands.js";
import { registerRegister } from "./register.js";
import { registerRenew } from "./renew.js";
import { registerShow } from "./show.js";

export function registerAuthority(program: Command): void {
  const authority = program.command("authority").description("what only the authority of a network can do");
  registerAuthorityInit(authority);
  registerRegister(authority);
  registerIssue(authority);
  registerRenew(authority);
  registerAssign(authority);
  registerList(authority);
  registerShow(authority);
  registerExport(authority);
  registerAudit(authority);
  registerOrder(authority);
  registerNode(authority);
  registerBroker(authority);
}

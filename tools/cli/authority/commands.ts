// `gridseal authority`: the commands that only the authority of a network can give.

import type { Command } from "commander";
import { registerApprover } from "./approver/commands.js";
import { registerAssign } from "./assign.js";
import { registerAudit } from "./audit.js";
import { registerBatch } from "./batch.js";
import { registerBroker } from "./broker.js";
import { registerCode } from "./code/commands.js";
import { registerEnrolments } from "./enrolment/commands.js";
import { registerExport } from "./export.js";
import { registerImport } from "./import.js";
import { registerAuthorityInit } from "./init.js";
import { registerIssue } from "./issue.js";
import { registerKey } from "./key.js";
import { registerList } from "./list.js";
import { registerNode } from "./node.js";
import { registerOrder } from "./order/commands.js";
import { registerReceive } from "./receive.js";
import { registerRegister } from "./register.js";
import { registerRegistrar } from "./registrar/commands.js";
import { registerRenew } from "./renew.js";
import { registerReplace } from "./replace.js";
import { registerServe } from "./serve.js";
import { registerShow } from "./show.js";
import { registerTransfer } from "./transfer.js";

export function registerAuthority(program: Command): void {
  const authority = program.command("authority").description("what only the authority of a network can do");
  registerAuthorityInit(authority);
  registerKey(authority);
  registerRegister(authority);
  registerImport(authority);
  registerReceive(authority);
  registerIssue(authority);
  registerBatch(authority);
  registerRegistrar(authority);
  registerCode(authority);
  registerApprover(authority);
  registerEnrolments(authority);
  registerServe(authority);
  registerRenew(authority);
  registerReplace(authority);
  registerAssign(authority);
  registerTransfer(authority);
  registerList(authority);
  registerShow(authority);
  registerExport(authority);
  registerAudit(authority);
  registerOrder(authority);
  registerNode(authority);
  registerBroker(authority);
}

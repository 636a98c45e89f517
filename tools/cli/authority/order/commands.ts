// `gridseal authority order`: the orders that the authority signs.

import type { Command } from "commander";
import { registerAssign } from "./assign.js";
import { registerBan } from "./ban.js";
import { registerChain } from "./chain.js";
import { registerEnd } from "./end.js";
import { registerMembers } from "./members.js";
import { registerRegisterOrder } from "./register.js";
import { registerResume } from "./resume.js";
import { registerRevoke } from "./revoke.js";
import { registerSuspend } from "./suspend.js";
import { registerWithdraw } from "./withdraw.js";

export function registerOrder(authority: Command): void {
  const order = authority
    .command("order")
    .description(
      "sign an order: members of a chain, one that is taken back, a new chain, revoked, suspended, ended or assigned meters, banned nodes, the register's head",
    );
  registerMembers(order);
  registerWithdraw(order);
  registerChain(order);
  registerRevoke(order);
  registerSuspend(order);
  registerResume(order);
  registerEnd(order);
  registerBan(order);
  registerAssign(order);
  registerRegisterOrder(order);
}

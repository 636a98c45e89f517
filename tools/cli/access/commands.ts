// `gridseal access`: who may see what a meter confides: needs, requests, consents, and what a grant opens.

import type { Command } from "commander";
import { registerConsent, registerDecide, registerObject, registerWithdraw } from "./answer.js";
import { registerErase } from "./erase.js";
import { registerCertificate, registerErased } from "./erased.js";
import { registerGroup } from "./group.js";
import { registerKey } from "./key.js";
import { registerList } from "./list.js";
import { registerNeed } from "./need.js";
import { registerOpen } from "./open.js";
import { registerPermission } from "./permission.js";
import { registerPolicy } from "./policy.js";
import { registerRequest } from "./request.js";
import { registerConfirm, registerSubject } from "./subject.js";

export function registerAccess(program: Command): void {
  const access = program.command("access").description("who may see what a meter confides, and for what");
  registerKey(access);
  registerSubject(access);
  registerConfirm(access);
  registerGroup(access);
  registerNeed(access);
  registerRequest(access);
  registerConsent(access);
  registerObject(access);
  registerWithdraw(access);
  registerDecide(access);
  registerErase(access);
  registerErased(access);
  registerCertificate(access);
  registerList(access);
  registerOpen(access);
  registerPermission(access);
  registerPolicy(access);
}

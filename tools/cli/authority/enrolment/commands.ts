// `gridseal authority enrolment`: takes enrolments, shows them, grants or refuses them, and answers.

import type { Command } from "commander";
import { registerAnswer } from "./answer.js";
import { registerApprove } from "./approve.js";
import { registerList } from "./list.js";
import { registerShow } from "./show.js";
import { registerTake } from "./take.js";

export function registerEnrolments(authority: Command): void {
  const enrolment = authority.command("enrolment").description("people and firms who ask to become participants");
  registerTake(enrolment);
  registerList(enrolment);
  registerShow(enrolment);
  registerApprove(enrolment);
  registerAnswer(enrolment);
}

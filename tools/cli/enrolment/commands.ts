// `gridseal enrolment`: what a person or a firm does to become a participant.

import type { Command } from "commander";
import { registerAccept } from "./accept.js";
import { registerMake } from "./make.js";
import { registerSend } from "./send.js";

export function registerEnrolment(program: Command): void {
  const enrolment = program
    .command("enrolment")
    .description("become a participant: ask the authority, take its answer");
  registerMake(enrolment);
  registerSend(enrolment);
  registerAccept(enrolment);
}

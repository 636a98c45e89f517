// `gridseal authority code`: one-time codes, by which somebody may ask to become a participant.

import type { Command } from "commander";
import { registerEnd } from "./end.js";
import { registerList } from "./list.js";
import { registerMake } from "./make.js";

export function registerCode(authority: Command): void {
  const code = authority.command("code").description("one-time codes for who is to become a participant");
  registerMake(code);
  registerList(code);
  registerEnd(code);
}

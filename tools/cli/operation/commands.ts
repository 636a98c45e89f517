// `gridseal operation`: what participants sign.

import type { Command } from "commander";
import { registerShow } from "./show.js";
import { registerSign } from "./sign.js";
import { registerSubmit } from "./submit.js";

export function registerOperation(program: Command): void {
  const operation = program.command("operation").description("what participants sign and have sealed");
  registerSign(operation);
  registerSubmit(operation);
  registerShow(operation);
}

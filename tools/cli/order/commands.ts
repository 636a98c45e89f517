// `gridseal order`: the commands that bring orders of the authority to the network, and show what
// is sealed.

import type { Command } from "commander";
import { registerList } from "./list.js";
import { registerSign } from "./sign.js";
import { registerSubmit } from "./submit.js";

export function registerOrder(program: Command): void {
  const order = program.command("order").description("orders of the authority");
  registerSign(order);
  registerSubmit(order);
  registerList(order);
}

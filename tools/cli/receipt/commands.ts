// `gridseal receipt`: the commands about proofs.

import type { Command } from "commander";
import { registerGet } from "./get.js";
import { registerVerify } from "./verify.js";

export function registerReceipt(program: Command): void {
  const receipt = program.command("receipt").description("proofs that records are sealed");
  registerGet(receipt);
  registerVerify(receipt);
}

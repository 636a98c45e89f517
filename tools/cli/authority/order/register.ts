// `gridseal authority order register`: the head of the register, to be sealed: whoever audits later knows whether it lost entries.

import type { Command } from "commander";
import { fromHex } from "../../../../src/wire/bytes.js";
import { auditRegister } from "../../../authority/register/audit.js";
import { GridsealError } from "../../../errors.js";
import { useRegister } from "../authority-options.js";
import { governanceFor } from "../governance.js";
import { type MakeOptions, makeOrder, withOrderOptions } from "./make-order.js";

export function registerRegisterOrder(order: Command): void {
  withOrderOptions(
    order.command("register").description("name the head of the register, so that a sealed order holds it"),
  ).action(orderRegister);
}

async function orderRegister(options: MakeOptions): Promise<void> {
  const governance = await governanceFor(options);
  const { head, problems } = await useRegister(options, (register) => auditRegister(register));
  if (problems.length > 0) {
    throw new GridsealError("REGISTER_DAMAGED", `the register is not what its log says: ${problems[0]}`);
  }
  await makeOrder({ type: "register", entry: head.number, hash: fromHex(head.hash)! }, governance, options);
}

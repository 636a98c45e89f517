// `gridseal lot`: the devices of a lot, from their maker to whoever owns them.

import type { Command } from "commander";
import { registerExport } from "./export.js";
import { registerLabels } from "./labels.js";
import { registerTransfer } from "./transfer.js";
import { registerVerify } from "./verify.js";

export function registerLot(program: Command): void {
  const lot = program
    .command("lot")
    .description("shipment files: the maker's word on devices, signed from owner to owner");
  registerExport(lot);
  registerTransfer(lot);
  registerVerify(lot);
  registerLabels(lot);
}

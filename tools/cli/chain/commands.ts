// `gridseal chain`: the commands about sealed chains.

import type { Command } from "commander";
import { registerAudit } from "./audit.js";
import { registerExport } from "./export.js";
import { registerList } from "./list.js";
import { registerShow } from "./show.js";
import { registerSlots } from "./slots.js";

export function registerChain(program: Command): void {
  const chain = program.command("chain").description("sealed chains");
  registerList(chain);
  registerShow(chain);
  registerExport(chain);
  registerAudit(chain);
  registerSlots(chain);
}

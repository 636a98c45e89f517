// `gridseal request`: what a holder, a field engineer or a maker sends the authority, and what comes back.

import type { Command } from "commander";
import { registerAccept } from "./accept.js";
import { registerEndorse } from "./endorse.js";
import { registerMake } from "./make.js";
import { registerShow } from "./show.js";

export function registerRequest(program: Command): void {
  const request = program.command("request").description("requests for credentials, and the authority's answers");
  registerMake(request);
  registerEndorse(request);
  registerShow(request);
  registerAccept(request);
}

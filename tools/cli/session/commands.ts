// `gridseal session`: what a holder of a credential shows to brokers and APIs.

import type { Command } from "commander";
import { registerToken } from "./token.js";

export function registerSession(program: Command): void {
  const session = program.command("session").description("what a holder of a credential shows to brokers and APIs");
  registerToken(session);
}

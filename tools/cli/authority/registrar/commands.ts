// `gridseal authority registrar`: who may ask for credentials of devices, and within which limits.

import type { Command } from "commander";
import { registerLimit } from "./limit.js";
import { registerStop } from "./stop.js";

export function registerRegistrar(authority: Command): void {
  const registrar = authority
    .command("registrar")
    .description("say within which limits a field engineer or contract manufacturer may ask for credentials");
  registerLimit(registrar);
  registerStop(registrar);
}

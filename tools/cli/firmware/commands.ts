// `gridseal firmware`: what a maker of firmware does.

import type { Command } from "commander";
import { registerBundle } from "./bundle.js";
import { registerKey } from "./key.js";
import { registerShow } from "./show.js";
import { registerSign } from "./sign.js";

export function registerFirmware(program: Command): void {
  const firmware = program.command("firmware").description("signed firmware for meters");
  registerKey(firmware);
  registerSign(firmware);
  registerShow(firmware);
  registerBundle(firmware);
}

// `gridseal record`: records of who has no MQTT.

import type { Command } from "commander";
import { registerSubmit } from "./submit.js";

export function registerRecord(program: Command): void {
  const record = program.command("record").description("records of who has no MQTT");
  registerSubmit(record);
}

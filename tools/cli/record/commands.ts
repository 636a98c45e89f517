// `gridseal record`: sealed records, and records of who has no MQTT.

import type { Command } from "commander";
import { registerGet } from "./get.js";
import { registerList } from "./list.js";
import { registerSubmit } from "./submit.js";

export function registerRecord(program: Command): void {
  const record = program.command("record").description("sealed records, and records of who has no MQTT");
  registerList(record);
  registerGet(record);
  registerSubmit(record);
}

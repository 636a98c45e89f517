// What a meter's console sets, in the meter's folder: configuration.json and, one file each in settings/, what a chip has in NVS
// beside it. Each is replaced whole, old or new after a cut.

import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { KeyValue } from "../../src/host.js";
import { SECRET } from "../files/private-files.js";
import { openKeyValue, replaceFile } from "./key-value.js";

const CONFIGURATION = "configuration";
/** A console's line is the longest that comes. */
const CONFIGURATION_BYTES_MAX = 8_192;

/** The settings of the meter in `directory`; a configuration that somebody has put there counts as one. */
export function openSettings(directory: string): KeyValue {
  const path = join(directory, "configuration.json");
  const others = openKeyValue(join(directory, "settings"));
  return {
    get: (name) => (name !== CONFIGURATION ? others.get(name) : existsSync(path) ? readFileSync(path) : undefined),
    set(name, value) {
      if (name !== CONFIGURATION) return others.set(name, value);
      if (value.length > CONFIGURATION_BYTES_MAX) throw new RangeError(`a configuration of ${value.length} bytes`);
      replaceFile(path, value);
    },
    delete: (name) => (name === CONFIGURATION ? rmSync(path, { force: true }) : others.delete(name)),
  };
}

/** What stands for the MAC address of a meter without a radio: made once, locally administered (IEEE 802, U/L bit). */
export function macOf(directory: string): string {
  const path = join(directory, "mac");
  if (!existsSync(path)) writeFileSync(path, `02${randomBytes(5).toString("hex")}`, { mode: SECRET, flag: "wx" });
  return readFileSync(path, "latin1");
}

// What the demo's meters speak: each another protocol, so that all of them are at work.

import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { MeterConfiguration } from "../../src/agent/meter-configuration.js";
import type { EmulatorPort } from "../meters/ports/port-configuration.js";

type Input = Omit<MeterConfiguration, "port"> & { readonly emulated: Partial<EmulatorPort> };

/**
 * The meter with this number, from 1 on; after the sixth it begins anew. Keys are made for each.
 */
function inputOf(number: number): Input {
  const key = (): string => randomBytes(16).toString("hex");
  switch (number % 6) {
    case 2:
      return { protocol: "sml", emulated: { protocol: "sml" } };
    case 3: {
      const keys = { encryption: key(), authentication: key() };
      return { protocol: "hdlc", keys, emulated: { protocol: "hdlc", ...keys } };
    }
    case 4:
      return { protocol: "d0", request: { interval_s: 10 }, emulated: { protocol: "d0", request: true } };
    case 5:
      return { protocol: "modbus", modbus: { address: 1, interval_s: 2 }, emulated: { protocol: "modbus" } };
    case 0: {
      const keys = { encryption: key() };
      return { protocol: "mbus", keys, emulated: { protocol: "mbus", ...keys } };
    }
    default:
      return { protocol: "p1", emulated: {} };
  }
}

/** Gives the meters of a new network their protocols. */
export async function mixProtocols(folder: string, meters: readonly string[]): Promise<void> {
  for (const [index, name] of meters.entries()) {
    const path = join(folder, "meters", name, "configuration.json");
    const document = JSON.parse(await readFile(path, "utf8")) as { readonly meter: MeterConfiguration };
    const { emulated, ...input } = inputOf(index + 1);
    const port = { ...(document.meter.port as EmulatorPort), ...emulated };
    await writeFile(path, JSON.stringify({ ...document, meter: { ...input, port } }, undefined, 2));
  }
}

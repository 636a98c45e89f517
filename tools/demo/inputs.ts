// What the demo's meters speak: each another protocol, so that all of them are at work.

import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Configuration } from "../../src/agent/configuration.js";
import type { MeterConfiguration } from "../../src/agent/meter-configuration.js";
import type { EmulatorPort } from "../meters/ports/port-configuration.js";
import { seeds } from "./community/cast.js";

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

/** So many alike homes stand behind each meter, in whose street it is a morning of June. */
const HOMES = 10;
const JUNE = { month: 5, day: 21, hour: 10 } as const;

/** How far that morning is ahead, in whole ten seconds. */
export function aheadOf(now: Date): number {
  const at = (year: number) => Date.UTC(year, JUNE.month, JUNE.day, JUNE.hour);
  const year = now.getUTCFullYear();
  const next_ms = at(year) > now.getTime() ? at(year) : at(year + 1);
  return 10 * Math.floor((next_ms - now.getTime()) / 10_000);
}

function seedOf(index: number): { readonly seed?: number } {
  const seed = seeds[index];
  return seed === undefined ? {} : { seed };
}

const DISPATCH = 3;
const energies = ["1-0:1.8.n", "1-0:2.8.n"];

/** Gives the meters of a new network their protocols and homes, and has them sign their counters for dispatch too, which holds trades to them. */
export async function mixProtocols(folder: string, meters: readonly string[], now: Date): Promise<void> {
  const ahead_s = aheadOf(now);
  for (const [index, name] of meters.entries()) {
    const path = join(folder, "meters", name, "configuration.json");
    const document = JSON.parse(await readFile(path, "utf8")) as Configuration;
    const { emulated, ...input } = inputOf(index + 1);
    const port = { ...(document.meter.port as EmulatorPort), homes: HOMES, ahead_s, ...seedOf(index), ...emulated };
    const schedule = document.schedule.map((entry) =>
      entry.service === DISPATCH ? { ...entry, registers: energies } : entry,
    );
    await writeFile(path, JSON.stringify({ ...document, schedule, meter: { ...input, port } }, undefined, 2));
  }
}

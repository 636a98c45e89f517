// Where a meter's bytes come from, as a configuration file or a command line states it.

import { bauds } from "../../../src/meter/line.js";
import { impulsesMax } from "../../../src/meter/pulse.js";
import { type Protocol, protocols } from "../../../src/meter/reader.js";
import { GridsealError } from "../../errors.js";

export type P1Version = "2.2" | "3.0" | "4.2" | "5.0" | "fluvius";

/** An emulated household's meter; it speaks P1 of DSMR 5.0 unless told otherwise. */
export interface EmulatorPort {
  readonly kind: "emulator";
  readonly seed: number;
  readonly interval_ms: number;
  readonly version?: P1Version;
  readonly protocol?: Protocol;
  /** D0, M-Bus: a meter of mode C, or one with data records, which has to be asked, in place of one that pushes */
  readonly request?: boolean;
  /** P1 and DLMS: the keys that it encrypts with, 32 hex digits each */
  readonly encryption?: string;
  readonly authentication?: string;
  /** pulses: the meter's constant */
  readonly impulses_per_kWh?: number;
  /** so many alike stand behind the meter */
  readonly homes?: number;
  /** how far their day and season are ahead of the clock; whole ten seconds */
  readonly ahead_s?: number;
}

/** Of a serial port's line the agent knows what is usual. `none`: nobody has named one yet. */
export type DevicePort =
  | {
      readonly kind: "serial";
      readonly path: string;
      readonly baud?: number;
      readonly dataBits?: number;
      readonly parity?: string;
    }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "file"; readonly path: string; readonly interval_ms: number }
  | { readonly kind: "none" };

export type MeterPort = DevicePort | EmulatorPort;

const versions: readonly string[] = ["2.2", "3.0", "4.2", "5.0", "fluvius"] satisfies P1Version[];
/** More would be beyond what a P1 telegram states of power. */
const HOMES_MAX = 16;
const AHEAD_S_MAX = 31_622_400;
/** A P1 meter of DSMR 5.0 sends every second. */
const interval_ms_default = 1000;

/** Checks a port as a configuration or a command line states it, and fills in what it leaves out. Throws CONFIGURATION_INVALID. */
export function parsePort(stated: unknown): MeterPort {
  const fields = typeof stated === "object" && stated !== null ? (stated as Record<string, unknown>) : {};
  switch (fields.kind) {
    case "serial":
      return {
        kind: "serial",
        path: text(fields, "path"),
        ...(fields.baud !== undefined && { baud: oneOf(fields, "baud", bauds, 115200) }),
        ...(fields.dataBits !== undefined && { dataBits: oneOf(fields, "dataBits", [7, 8], 8) }),
        ...(fields.parity !== undefined && { parity: oneOf(fields, "parity", ["none", "even"], "none") }),
      };
    case "tcp":
      return { kind: "tcp", host: text(fields, "host"), port: whole(fields, "port", 1, 65535) };
    case "file":
      return { kind: "file", path: text(fields, "path"), interval_ms: interval(fields) };
    case "emulator":
      return {
        kind: "emulator",
        seed: whole(fields, "seed", 0, 2 ** 31 - 1),
        interval_ms: interval(fields),
        version: oneOf(fields, "version", versions as readonly P1Version[], "5.0"),
        ...(fields.protocol !== undefined && { protocol: oneOf(fields, "protocol", protocols, "p1") }),
        ...(fields.request !== undefined && { request: oneOf(fields, "request", [true, false], false) }),
        ...(fields.encryption !== undefined && { encryption: key(fields, "encryption") }),
        ...(fields.authentication !== undefined && { authentication: key(fields, "authentication") }),
        ...(fields.impulses_per_kWh !== undefined && {
          impulses_per_kWh: whole(fields, "impulses_per_kWh", 1, impulsesMax),
        }),
        ...(fields.homes !== undefined && { homes: whole(fields, "homes", 1, HOMES_MAX) }),
        ...(fields.ahead_s !== undefined && { ahead_s: wholeTens(fields, "ahead_s", AHEAD_S_MAX) }),
      };
    case "none":
      return { kind: "none" };
    default:
      throw invalid("kind", "serial, tcp, file, emulator or none", fields.kind);
  }
}

function text(fields: Record<string, unknown>, name: string): string {
  const value = fields[name];
  if (typeof value !== "string" || value === "") throw invalid(name, "a text", value);
  return value;
}

/** The value of a key is never told. */
function key(fields: Record<string, unknown>, name: string): string {
  const value = fields[name];
  if (typeof value === "string" && /^[0-9A-Fa-f]{32}$/.test(value)) return value;
  throw invalid(name, "32 hex digits", "what it is");
}

function whole(fields: Record<string, unknown>, name: string, least: number, most: number): number {
  const value = fields[name];
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
  throw invalid(name, `a whole number from ${least} to ${most}`, value);
}

function wholeTens(fields: Record<string, unknown>, name: string, most: number): number {
  const value = whole(fields, name, 0, most);
  if (value % 10 !== 0) throw invalid(name, "a multiple of ten", value);
  return value;
}

function interval(fields: Record<string, unknown>): number {
  return fields.interval_ms === undefined ? interval_ms_default : whole(fields, "interval_ms", 1, 3_600_000);
}

function oneOf<Choice extends string | number | boolean>(
  fields: Record<string, unknown>,
  name: string,
  choices: readonly Choice[],
  otherwise: Choice,
): Choice {
  const value = fields[name];
  if (value === undefined) return otherwise;
  const choice = choices.find((candidate) => candidate === value);
  if (choice === undefined) throw invalid(name, choices.join(", "), value);
  return choice;
}

function invalid(name: string, expected: string, value: unknown): GridsealError {
  return new GridsealError(
    "CONFIGURATION_INVALID",
    `meter port: ${name} is ${JSON.stringify(value)}, expected ${expected}`,
  );
}

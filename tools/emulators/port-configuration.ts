// Where a meter's bytes come from, as a configuration file or a command line states it.

import { GridsealError } from "../errors.js";
import type { P1Version } from "./p1-telegram.js";

/** What an emulated household's meter speaks: SML, DLMS push over HDLC or M-Bus, a D0 port of mode D. */
export type EmulatedProtocol = "p1" | "sml" | "hdlc" | "mbus" | "d0";

/**
 * A serial port of even parity has seven data bits, as DSMR 2.2 and 3.0 have; an emulator speaks P1 of DSMR 5.0 unless told
 * otherwise.
 */
export type MeterPort =
  | { readonly kind: "serial"; readonly path: string; readonly baud: number; readonly parity: "none" | "even" }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "file"; readonly path: string; readonly interval_ms: number }
  | {
      readonly kind: "emulator";
      readonly seed: number;
      readonly interval_ms: number;
      readonly version?: P1Version;
      readonly protocol?: EmulatedProtocol;
    };

const versions: readonly string[] = ["2.2", "3.0", "4.2", "5.0", "fluvius"] satisfies P1Version[];
const protocols: readonly EmulatedProtocol[] = ["p1", "sml", "hdlc", "mbus", "d0"];
const bauds: readonly number[] = [300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200];
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
        baud: oneOf(fields, "baud", bauds, 115200),
        parity: oneOf(fields, "parity", ["none", "even"], "none"),
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
      };
    default:
      throw invalid("kind", "serial, tcp, file or emulator", fields.kind);
  }
}

function text(fields: Record<string, unknown>, name: string): string {
  const value = fields[name];
  if (typeof value !== "string" || value === "") throw invalid(name, "a text", value);
  return value;
}

function whole(fields: Record<string, unknown>, name: string, least: number, most: number): number {
  const value = fields[name];
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
  throw invalid(name, `a whole number from ${least} to ${most}`, value);
}

function interval(fields: Record<string, unknown>): number {
  return fields.interval_ms === undefined ? interval_ms_default : whole(fields, "interval_ms", 1, 3_600_000);
}

function oneOf<Choice extends string | number>(
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

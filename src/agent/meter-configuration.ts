// The part of a configuration that says what the meter speaks: its protocol, its port's line, its keys, and how it is asked where it
// does not speak by itself.

import { bauds, type Line, requestLine, usualLines } from "../meter/line.js";
import { isSecondary } from "../meter/mbus/master.js";
import { askedMap } from "../meter/modbus/reader.js";
import { modbusMaps } from "../meter/modbus/tables.js";
import { profileNames, profileOf } from "../meter/profiles.js";
import { impulsesMax, isPulseRegister, startMax_Wh } from "../meter/pulse.js";
import { type Protocol, protocols } from "../meter/reader.js";
import {
  type Check,
  type Complaint,
  complaint,
  type Fields,
  integer,
  isObject,
  matching,
  object,
  oneOf,
  text,
} from "./checks.js";

export interface MeterConfiguration {
  /** `auto` finds out protocol, speed and parity */
  readonly protocol: Protocol | "auto";
  /** the port as the platform knows it; the line of one of kind `serial` is checked here: baud, dataBits, parity */
  readonly port: unknown;
  /** a meter type of src/meter/profiles.ts, for its lists and quirks */
  readonly profile?: string;
  /** of an encrypted port, 32 hex digits each */
  readonly keys?: { readonly encryption: string; readonly authentication?: string };
  /** true reads a port that authenticates though its authentication key is not known; each reading says `unauthenticated` */
  readonly acceptUnauthenticated?: boolean;
  /** what the winter time of the meter's zone is ahead of UTC, in seconds: 3600 where it is not said */
  readonly zoneOffset_s?: number;
  /** true refuses frames that carry no check, where the protocol allows them */
  readonly requireCrc?: boolean;
  /** the largest power that the connection can carry: energy that grows faster is a doubt */
  readonly powerMax_W?: number;
  /** asks a D0 meter; without it the meter pushes */
  readonly request?: { readonly interval_s: number; readonly address?: string };
  readonly pulse?: {
    readonly impulses_per_kWh: number;
    /** what the meter showed when its pulses began to be counted; another value begins the count anew */
    readonly start_Wh?: number;
    readonly register?: string;
    readonly id?: string;
  };
  readonly modbus?: { readonly address: number; readonly interval_s: number; readonly map?: string };
  /** asks an M-Bus meter: by its primary address, or by its number; without it the meter pushes */
  readonly mbus?: { readonly interval_s: number; readonly address?: number; readonly id?: string };
}

const INTERVAL_S_MAX = 86_400;
/** A Modbus meter has a second to answer. */
const MODBUS_INTERVAL_S_MIN = 2;
/** A long answer takes several telegrams at 300 to 2400 baud. */
const MBUS_INTERVAL_S_MIN = 10;
/** A readout of modes A to C takes some seconds even where it is short. */
const REQUEST_INTERVAL_S_MIN = 10;
const ID_CHARACTERS_MAX = 32;
const POWER_W_MAX = 1_000_000_000;
const key = matching((hex) => /^[0-9A-Fa-f]{32}$/.test(hex), "must be 32 hex digits, as the grid operator gives them");

const fields: Fields = {
  protocol: { check: oneOf([...protocols, "auto"]) },
  port: { check: port },
  profile: { check: oneOf(profileNames), optional: true },
  keys: {
    check: object({ encryption: { check: key }, authentication: { check: key, optional: true } }),
    optional: true,
  },
  acceptUnauthenticated: { check: oneOf([true, false]), optional: true },
  zoneOffset_s: { check: integer(-43_200, 50_400), optional: true },
  requireCrc: { check: oneOf([true, false]), optional: true },
  powerMax_W: { check: integer(1, POWER_W_MAX), optional: true },
  request: {
    check: object({
      interval_s: { check: integer(REQUEST_INTERVAL_S_MIN, INTERVAL_S_MAX) },
      address: {
        check: matching((name) => /^[0-9A-Za-z ]{1,32}$/.test(name), "must be 1 to 32 letters, digits and spaces"),
        optional: true,
      },
    }),
    optional: true,
  },
  pulse: {
    check: object({
      impulses_per_kWh: { check: integer(1, impulsesMax) },
      start_Wh: { check: integer(0, startMax_Wh), optional: true },
      register: { check: matching(isPulseRegister, "must be 1-0:1.8.n or 1-0:2.8.n"), optional: true },
      id: { check: text(ID_CHARACTERS_MAX), optional: true },
    }),
    optional: true,
  },
  modbus: {
    check: object({
      address: { check: integer(1, 247) },
      interval_s: { check: integer(MODBUS_INTERVAL_S_MIN, INTERVAL_S_MAX) },
      map: { check: oneOf([...modbusMaps, askedMap]), optional: true },
    }),
    optional: true,
  },
  mbus: {
    check: object({
      interval_s: { check: integer(MBUS_INTERVAL_S_MIN, INTERVAL_S_MAX) },
      address: { check: integer(0, 250), optional: true },
      id: {
        check: matching(isSecondary, "must be 8 digits, or 16 hex digits with maker, version and medium"),
        optional: true,
      },
    }),
    optional: true,
  },
};

/** Which protocols a field is for; the others do not look at it. */
const uses: Readonly<Record<string, readonly (Protocol | "auto")[]>> = {
  keys: ["p1", "hdlc", "mbus", "auto"],
  acceptUnauthenticated: ["hdlc", "mbus", "auto"],
  zoneOffset_s: ["p1", "d0", "tic", "mbus", "auto"],
  requireCrc: ["p1", "d0", "push", "auto"],
  request: ["d0", "auto"],
  pulse: ["pulse"],
  modbus: ["modbus", "auto"],
  mbus: ["mbus", "auto"],
};

/** The check of `$.meter`. */
export const checkMeter: Check = (value, path) => {
  const refused = object(fields)(value, path);
  return refused ?? consistency(value as MeterConfiguration, path);
};

/** What no single field shows. */
function consistency(meter: MeterConfiguration, path: string): Complaint | undefined {
  const { protocol, profile, acceptUnauthenticated, keys } = meter;
  for (const [name, protocolsOfIt] of Object.entries(uses)) {
    if (!Object.hasOwn(meter, name) || protocolsOfIt.includes(protocol)) continue;
    return complaint(`${path}.${name}`, `is for ${protocolsOfIt.join(", ")}, not for ${protocol}: take it out`);
  }
  if (acceptUnauthenticated === true && (keys === undefined || keys.authentication !== undefined))
    return complaint(`${path}.acceptUnauthenticated`, "is for keys without an authentication key: take it out");
  for (const needed of ["pulse", "modbus"] as const) {
    if (protocol === needed && meter[needed] === undefined)
      return complaint(`${path}.${needed}`, `is missing: protocol ${needed} needs it`);
  }
  if (profile === undefined || protocol === "auto") return undefined;
  const known = profileOf(profile);
  const fits =
    known.protocol === protocol ||
    (known.protocol === "dlms" && (protocol === "hdlc" || protocol === "mbus" || protocol === "push"));
  return fits ? undefined : complaint(`${path}.profile`, `is of a meter that does not speak ${protocol}`);
}

/** Of a serial port the line is the agent's; all else is the platform's. */
function port(value: unknown, path: string): Complaint | undefined {
  if (!isObject(value) || value.kind !== "serial") return undefined;
  for (const [name, choices] of Object.entries({ baud: bauds, dataBits: [7, 8], parity: ["none", "even"] })) {
    const refused = Object.hasOwn(value, name) ? oneOf(choices)(value[name], `${path}.${name}`) : undefined;
    if (refused !== undefined) return refused;
  }
  return undefined;
}

/** The line that the port begins with: as it is stated, else as its protocol usually has it. Even parity of P1, D0 and TIC means seven bits. */
export function lineOf({ protocol, port: stated, request }: MeterConfiguration): Line {
  const usual = protocol === "auto" ? usualLines.p1 : protocol === "d0" && request ? requestLine : usualLines[protocol];
  if (!isObject(stated) || stated.kind !== "serial") return usual;
  const { baud = usual.baud, parity = usual.parity, dataBits } = stated as Partial<Line>;
  const isText = protocol === "p1" || protocol === "d0" || protocol === "tic";
  return { baud, parity, dataBits: dataBits ?? (isText && parity === "even" ? 7 : 8) };
}

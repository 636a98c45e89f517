// What single meter types do otherwise than their protocol says, as a table. A quirk is applied to a meter only because its profile
// was named, never guessed from the bytes, and every reading that it changed carries a flag.

import { modbusMaps } from "./modbus/tables.js";

/** A meter type and its deviations; its lists of DLMS push and their scales are in dlms/lists.ts and dlms/scales.ts under the same name. */
export interface Profile {
  readonly name: string;
  readonly protocol: "sml" | "d0" | "dlms" | "modbus";
  /** SML: CRC-16/KERMIT, high byte first, in place of X-25. Flag `quirk-crc`. */
  readonly kermitCrc?: true;
  /**
   * SML: a positive 1-0:16.7.0 that fits 1 to 3 bytes is sent in a signed field of that width, by the meters of these serial numbers,
   * the last four bytes of the server id; others of the type have been mended. Where a status word tells the direction, that
   * is taken (sml-direction.ts). Flag `quirk-sign OBIS`.
   */
  readonly shortPowerUnsigned?: readonly (readonly [first: number, last: number])[];
  /** D0: energies come without a unit and are kWh. Flag `quirk-unit OBIS`. */
  readonly energyInKilowattHours?: true;
  /** Modbus: whose map the registers follow on a line that is listened to. */
  readonly modbusMap?: string;
}

const dvs74 = [
  [42_000_000, 48_999_999],
  [55_000_000, 58_999_999],
] as const;

const profiles: readonly Profile[] = [
  { name: "holley-dtz541", protocol: "sml", kermitCrc: true },
  { name: "dzg-dvs74", protocol: "sml", shortPowerUnsigned: dvs74 },
  { name: "emh-ehz-d0", protocol: "d0", energyInKilowattHours: true },
  { name: "kaifa-norway", protocol: "dlms" },
  { name: "kamstrup-norway", protocol: "dlms" },
  { name: "kamstrup-sweden", protocol: "dlms" },
  { name: "iskra-ie5", protocol: "dlms" },
  { name: "landis-e360", protocol: "dlms" },
  { name: "landis-e450", protocol: "dlms" },
  { name: "landis-e570", protocol: "dlms" },
];

/** The names of all profiles; each Modbus map is one too. */
export const profileNames: readonly string[] = [...profiles.map(({ name }) => name), ...modbusMaps.map(ofMap)];

/** The profile of that name; throws a RangeError that lists the names where there is none. */
export function profileOf(name: string): Profile {
  const profile = profiles.find((candidate) => candidate.name === name);
  if (profile !== undefined) return profile;
  const modbusMap = modbusMaps.find((map) => ofMap(map) === name);
  if (modbusMap !== undefined) return { name, protocol: "modbus", modbusMap };
  throw new RangeError(`unknown meter profile "${name}": expected ${profileNames.join(", ")}`);
}

/** The maker's name is in that of the map, but for Eastron's. */
function ofMap(map: string): string {
  return map.startsWith("sdm") ? `eastron-${map}` : map;
}

// The meters that are read: who makes them, where they hang, what they speak, which profile they need, and with whose bytes it was
// tried. docs/meters.md shows the table, `gridseal decode --list` prints it; a test holds the three to each other and to the profiles.

import type { Protocol } from "../../src/meter/reader.js";

export interface MeterType {
  readonly maker: string;
  readonly type: string;
  readonly country: string;
  readonly protocol: Protocol;
  /** Of src/meter/profiles.ts; absent where it needs none. */
  readonly profile?: string;
  /** With whose bytes it was tried; `emulator` are those of tools/emulators, `register list` bytes written by hand after a published list of its registers, most often not the maker's own. */
  readonly tried: string;
}

const telegrams = "captures of dsmr_parser";
const pushes = "captures of dlms_parser";
const records = "captures of libmbus";
const reported = "a user's report";

/** Maker, type, country, protocol, tried, profile. */
type Row = readonly [string, string, string, Protocol, string, string?];

const rows: readonly Row[] = [
  ["Landis+Gyr, Kaifa, Kamstrup, Sagemcom, Iskra, Ziv", "DSMR 2.2 to 5.0.2", "Netherlands", "p1", telegrams],
  ["Sagemcom, Flonidan", "Fluvius S211, T211", "Belgium", "p1", telegrams],
  ["Sagemcom", "T210-D", "Luxembourg, Austria", "p1", `${telegrams}; an encrypted one of esphome-dsmr`],
  ["EasyMeter", "Q3D", "Germany", "p1", telegrams],
  ["Sagemcom, Iskraemeco", "E.ON customer port", "Hungary, Slovenia", "p1", `${telegrams}; ${reported}`],
  ["eBZ", "DD3 with text", "Germany", "p1", reported],
  [
    "Iskra, Itron, Logarex, eBZ, EMH, EasyMeter",
    "SML by optical head",
    "Germany",
    "sml",
    "captures of smartmeter-obis",
  ],
  ["Holley", "DTZ541", "Germany", "sml", "captures with the usual check; emulator with KERMIT", "holley-dtz541"],
  ["DZG", "DVS74, DVZE", "Germany", "sml", reported, "dzg-dvs74"],
  ["Iskra, Elster, Hager, Pafal", "IEC 62056-21, modes A to E", "Europe", "d0", "captures of smartmeter-obis"],
  ["EMH", "eHZ without units", "Germany", "d0", "emulator", "emh-ehz-d0"],
  ["Landis+Gyr, Kamstrup", "heat meters, IEC 62056-21", "Europe", "d0", "emulator"],
  ["Aidon", "6525 and others", "Norway, Sweden, Finland", "hdlc", "emulator"],
  ["Kaifa", "MA304H3E, MA304H4", "Norway, Sweden", "hdlc", pushes, "kaifa-norway"],
  ["Kamstrup", "Omnipower", "Norway", "hdlc", pushes, "kamstrup-norway"],
  ["Kamstrup", "Omnipower", "Sweden", "hdlc", "emulator", "kamstrup-sweden"],
  ["Iskraemeco", "AM550", "Austria, Switzerland", "hdlc", `${pushes}; ${reported}`],
  ["Iskraemeco", "IE.5", "Denmark", "hdlc", "emulator", "iskra-ie5"],
  ["Landis+Gyr", "E360", "Switzerland", "hdlc", "emulator", "landis-e360"],
  ["Landis+Gyr", "E450", "Switzerland, Austria, Cyprus", "hdlc", `${pushes}; ${reported}`, "landis-e450"],
  ["Landis+Gyr", "E570", "Switzerland", "hdlc", reported, "landis-e570"],
  ["Kaifa, Sagemcom", "MA309M, T210-D of EVN", "Austria", "mbus", pushes],
  ["Sagemcom", "XT211 of EG.D and ČEZ", "Czechia", "push", `${pushes}; ${reported}`],
  ["Siemens", "TD-3510, TD-3511 (AMIS)", "Upper Austria", "mbus", `emulator; ${reported}`],
  ["Kamstrup, Landis+Gyr, Sensus, Engelmann, Sontex", "heat, M-Bus", "Europe", "mbus", records],
  ["Itron, Elster, GWF, Siemens, Minol", "water, M-Bus", "Europe", "mbus", records],
  ["Landis+Gyr, Relay, Itron", "gas and pulses, M-Bus", "Europe", "mbus", records],
  ["Saia-Burgess, Finder, ABB, EMU, NZR", "electricity, M-Bus", "Europe", "mbus", records],
  ["Sagemcom, Itron, Landis+Gyr", "Linky, standard mode", "France", "tic", `captures of linkytic; ${reported}`],
  ["Sagemcom, Itron, Landis+Gyr", "Linky and older, historic mode", "France", "tic", "captures of pyteleinfo"],
  ["Janz, Landis+Gyr, Sagemcom, Ziv", "EDP Box (EMI)", "Portugal", "modbus", `register list; ${reported}`, "emi"],
  ["Eastron", "SDM630, SDM72D, SDM54", "", "modbus", "emulator", "eastron-sdm630"],
  ["Eastron", "SDM120, SDM220, SDM230", "", "modbus", "emulator", "eastron-sdm120"],
  ["ABB", "A43, A44, B21, B23, B24", "", "modbus", "register list", "abb-b23"],
  ["Schneider Electric", "iEM3100 to iEM3300", "", "modbus", "register list", "schneider-iem3000"],
  ["Carlo Gavazzi", "EM24 with RS-485", "", "modbus", "register list", "gavazzi-em24"],
  ["Carlo Gavazzi", "EM330, EM340, ET330, ET340", "", "modbus", "register list", "gavazzi-em340"],
  ["Janitza", "B23, B24, UMG 96", "", "modbus", "register list", "janitza-b23"],
  ["Finder", "7M.38", "", "modbus", "register list", "finder-7m38"],
  ["Finder", "7M.24", "", "modbus", "register list", "finder-7m24"],
  ["Siemens", "SENTRON PAC2200, PAC3200", "", "modbus", "register list", "siemens-pac2200"],
  ["Peacefair", "PZEM-014, PZEM-016, PZEM-004T V3", "", "modbus", `register list; ${reported}`, "pzem-016"],
  ["Inepro", "PRO1, PRO380", "", "modbus", "register list", "inepro-pro380"],
  ["Orno", "OR-WE-514, OR-WE-515", "", "modbus", "register list", "orno-we514"],
  ["Chint", "DTSU666", "", "modbus", "register list", "chint-dtsu666"],
  ["Bernecker", "MPM3PM", "", "modbus", "register list", "mpm3pm"],
  ["DZG", "DVH4013", "", "modbus", "register list", "dzg-dvh4013"],
  ["any", "S0 output", "", "pulse", "emulator"],
];

export const meterTypes: readonly MeterType[] = rows.map(([maker, type, country, protocol, tried, profile]) => {
  return { maker, type, country, protocol, tried, ...(profile !== undefined && { profile }) };
});

/** The cells of a row, in the order of the page's columns. */
export function cellsOf({ maker, type, country, protocol, profile = "", tried }: MeterType): readonly string[] {
  return [maker, type, country, protocol, profile, tried];
}

// Scaler and unit of values that a meter sends without: the unit follows from the code, the scaler from the meter's type, as makers and
// utilities publish it. A list's type is told by a text in it, by the system title of its cipher, or by the profile that was named.
//
// Flags: `assumed-scale` meters of this list differ in the scaler, or the value could be none with it; `quirk-scale` the profile's
// scaler; `no-unit OBIS` nobody knows it: a plain number.

import type { Gathering } from "../gathering.js";
import { isPlainNumber } from "../plain-number.js";
import { powerBalance } from "../power-balance.js";
import { impliedUnit } from "../quantity.js";
import { unitNone } from "../unit.js";

/** The scalers of one type of meter, by quantity; power is in whole watts everywhere. */
export interface ScaleTable {
  /** What a text of the list or the system title begins with. */
  readonly prefix: string;
  /** What the meter's type number begins with, where types of one maker differ. */
  readonly type?: string;
  readonly profile?: string;
  readonly current: number;
  /** Of a current that comes in 64 bits. */
  readonly wideCurrent?: number;
  readonly voltage: number;
  readonly energy: number;
  readonly powerFactor: number;
  /** Meters of this list differ in these scalers: flagged where no profile says which it is. */
  readonly assumed?: "energy" | "voltage and current" | "all";
}

/** A number as the list has it, and its scaler and unit where the list states them. */
export interface Item {
  readonly obis: Uint8Array;
  readonly value: number | bigint;
  /** It came in 64 bits. */
  readonly wide: boolean;
  readonly stated: Scale | undefined;
}

export interface Scale {
  readonly scaler: number;
  readonly unit: number;
}

const kamstrup = { prefix: "Kamstrup_V0001", voltage: 0, powerFactor: -2 } as const;
const landis = { prefix: "LGZ", energy: 0, powerFactor: -3 } as const;

/**
 * Kaifa in Sweden; Kamstrup Omnipower, of which the type 685 is for current transformers; Landis+Gyr E360, E450 and E570 and
 * Iskraemeco AM550 in Switzerland. The first that fits is taken.
 */
const tables: readonly ScaleTable[] = [
  { prefix: "KFM_001", current: -3, voltage: -1, energy: 0, powerFactor: -3 },
  { ...kamstrup, type: "685", profile: "kamstrup-sweden", current: -3, energy: 0 },
  { ...kamstrup, type: "685", profile: "kamstrup-norway", current: -3, energy: 1 },
  { ...kamstrup, type: "685", current: -3, energy: 1, assumed: "energy" },
  { ...kamstrup, profile: "kamstrup-sweden", current: -2, energy: 0 },
  { ...kamstrup, profile: "kamstrup-norway", current: -2, energy: 1 },
  { ...kamstrup, current: -2, energy: 1, assumed: "energy" },
  { ...landis, profile: "landis-e360", current: -2, voltage: -1 },
  { ...landis, profile: "landis-e450", current: -2, voltage: 0 },
  { ...landis, profile: "landis-e570", current: 0, voltage: 0 },
  { ...landis, current: -2, wideCurrent: 0, voltage: 0, assumed: "voltage and current" },
  { prefix: "ISK", current: -2, voltage: -1, energy: 0, powerFactor: -3 },
];

const plain: Scale = { scaler: 0, unit: unitNone };
/** Of the push lists of the Swiss industry standard, whose meter is not told: powers and energies are whole everywhere. */
export const swissScales: ScaleTable = {
  ...landis,
  prefix: "",
  current: -2,
  wideCurrent: 0,
  voltage: 0,
  assumed: "all",
};
const volt = 35;
const ampere = 33;
const hertz = 44;
const instantaneous = 7;
const timeIntegral = 8;
/** No phase of a low-voltage network has more: what does is stated in tenths or hundredths. */
const voltageMax_V = 1000;
const frequencyMax_Hz = 100;
const scalerMin = -3;

/** The table for a list with these texts, of a meter of this type number; `profile` is the name of the meter's profile. */
export function scalesOf(texts: readonly string[], type: string, profile: string | undefined): ScaleTable | undefined {
  return tables.find((table) => {
    if (!type.startsWith(table.type ?? "") || (table.profile ?? profile) !== profile) return false;
    return (
      (table.profile !== undefined && table.profile === profile) || texts.some((text) => text.startsWith(table.prefix))
    );
  });
}

/** Adds the numbers of one list as registers, those without scaler and unit by the table. */
export function addItems(gathering: Gathering, items: readonly Item[], table: ScaleTable | undefined): void {
  const scales = scalesFor(items, table);
  let scaled = 0;
  items.forEach(({ obis, value, stated }, index) => {
    const scale = stated ?? scales[index];
    if (scale === undefined) gathering.flag("no-unit", obis);
    gathering.add({ obis, value, ...(scale ?? plain) });
    if (stated !== undefined || scale === undefined || table === undefined) return;
    scaled++;
    flagScale(gathering, scale, table);
  });
  if (scaled > 0 && powerBalance(gathering.registers, "assumed") === "contradicts") gathering.flag("assumed-scale");
}

/** By the table; with another scaler of the voltages where they are none with the table's, unless the powers say that they are. */
function scalesFor(items: readonly Item[], table: ScaleTable | undefined): readonly (Scale | undefined)[] {
  const frequency = fitted(items, hertz, 0, frequencyMax_Hz);
  if (table === undefined) return scalesWith(items, table, 0, frequency);
  const byTable = scalesWith(items, table, table.voltage, frequency);
  const voltage = fitted(items, volt, table.voltage, voltageMax_V);
  if (voltage === table.voltage) return byTable;
  const registers = items.map(({ obis, value }, index) => ({ obis, value, ...(byTable[index] ?? plain) }));
  return powerBalance(registers) === "agrees" ? byTable : scalesWith(items, table, voltage, frequency);
}

/** By index: what is called for each item takes the chip's stack. */
function scalesWith(
  items: readonly Item[],
  table: ScaleTable | undefined,
  voltage: number,
  frequency: number,
): readonly (Scale | undefined)[] {
  const scales: (Scale | undefined)[] = [];
  for (let index = 0; index < items.length; index++) {
    const item = items[index]!;
    scales.push(item.stated ?? scaleOf(item, table, voltage, frequency));
  }
  return scales;
}

function flagScale(gathering: Gathering, { scaler, unit }: Scale, table: ScaleTable): void {
  const ofSupply = unit === volt || unit === ampere;
  const ofEnergy = unit >= 30 && unit <= 32;
  if ((unit === volt && scaler !== table.voltage) || (unit === hertz && scaler !== 0)) gathering.flag("assumed-scale");
  else if (table.profile !== undefined && (ofEnergy || (ofSupply && table.prefix === landis.prefix)))
    gathering.flag("quirk-scale");
  else if (table.assumed === "all" || (ofEnergy && table.assumed === "energy")) gathering.flag("assumed-scale");
  else if (ofSupply && table.assumed === "voltage and current") gathering.flag("assumed-scale");
}

function scaleOf(
  { obis, wide }: Item,
  table: ScaleTable | undefined,
  voltage: number,
  frequency: number,
): Scale | undefined {
  if (obis[0] === 0) return isPlainNumber(obis) ? { scaler: 0, unit: unitNone } : undefined;
  if (table === undefined) return undefined;
  if (obis[3] === instantaneous && (obis[2]! === 13 || obis[2] === 33 || obis[2] === 53 || obis[2] === 73))
    return { scaler: table.powerFactor, unit: unitNone };
  const unit = impliedUnit(obis);
  if (unit === unitNone) return undefined;
  if (unit === volt) return { scaler: voltage, unit };
  if (unit === ampere) return { scaler: wide ? (table.wideCurrent ?? table.current) : table.current, unit };
  if (unit === hertz) return { scaler: frequency, unit };
  return { scaler: obis[3] === timeIntegral ? table.energy : 0, unit };
}

/** The scaler with which no value of this unit is beyond `most`: one for all, as a meter has it. */
function fitted(items: readonly Item[], unit: number, scaler: number, most: number): number {
  let largest = 0;
  for (const { obis, value, stated } of items) {
    if (stated === undefined && impliedUnit(obis) === unit) largest = Math.max(largest, Math.abs(Number(value)));
  }
  let fits = scaler;
  while (fits > scalerMin && largest * 10 ** fits > most) fits--;
  return fits;
}

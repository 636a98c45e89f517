// The face of a meter as its display shows it: what it measures, how it is, what of it is sealed, its ID. Pure; window.ts draws it.

import type { Reading } from "../../src/meter/reader.js";
import type { Register } from "../../src/meter/register.js";
import { decodeSentReceipt } from "../../src/wire/receipt.js";
import { parseTopic } from "../../src/wire/topics.js";

export interface Face {
  readonly id: string;
  state: string;
  /** W from the grid, negative into it; undefined before the first reading that states it */
  power_W: number | undefined;
  /** Wh from and to the grid */
  import_Wh: number | undefined;
  export_Wh: number | undefined;
  waiting: number;
  sealed: number;
  /** service and block of the receipt that came last */
  receipt: { readonly service: number; readonly height: number } | undefined;
}

const WATT = 27;
const WATT_HOUR = 30;

export function createFace(id: string): Face {
  return {
    id,
    state: "starts",
    power_W: undefined,
    import_Wh: undefined,
    export_Wh: undefined,
    waiting: 0,
    sealed: 0,
    receipt: undefined,
  };
}

/** A reading at the meter's port; what it does not state stays. */
export function seeReading(face: Face, { registers }: Reading): void {
  const drawn = instant(registers, 1);
  const fed = instant(registers, 2);
  if (drawn !== undefined || fed !== undefined) face.power_W = (drawn ?? 0) - (fed ?? 0);
  face.import_Wh = energy(registers, 1) ?? face.import_Wh;
  face.export_Wh = energy(registers, 2) ?? face.export_Wh;
}

export function seeState(face: Face, state: string, counters: Readonly<Record<string, number>>): void {
  face.state = state;
  face.waiting = counters.waiting ?? 0;
  face.sealed = counters.sealed ?? 0;
}

/** Any message of the broker: a receipt is shown, whatever else it is is not. */
export function seeMessage(face: Face, topic: string, payload: Uint8Array): void {
  const parsed = parseTopic(topic);
  if (parsed === undefined || !("service" in parsed) || parsed.kind !== "receipt") return;
  try {
    face.receipt = { service: parsed.service, height: decodeSentReceipt(payload).receipt.height };
  } catch {
    // The agent says what is wrong with it.
  }
}

/** Lines for people: a name and a value. */
export function faceLines(face: Face): readonly (readonly [string, string])[] {
  const { power_W, import_Wh, export_Wh, waiting, sealed, receipt } = face;
  return [
    ["power", power_W === undefined ? "-" : `${power_W} W`],
    ["from the grid", kWh(import_Wh)],
    ["to the grid", kWh(export_Wh)],
    ["records", `${waiting} wait, ${sealed} sealed`],
    ["receipt", receipt === undefined ? "none yet" : `block ${receipt.height} of chain ${receipt.service}`],
  ];
}

function kWh(energy_Wh: number | undefined): string {
  return energy_Wh === undefined ? "-" : `${(energy_Wh / 1000).toFixed(3)} kWh`;
}

/** 1-0:C.7.0 in W. */
function instant(registers: readonly Register[], c: number): number | undefined {
  const register = registers.find(({ obis, unit }) => unit === WATT && isElectricity(obis, c, 7) && obis[4] === 0);
  return register === undefined ? undefined : numberOf(register);
}

/** 1-0:C.8.0 in Wh, or the sum of its tariffs. */
function energy(registers: readonly Register[], c: number): number | undefined {
  const found = registers.filter(({ obis, unit }) => unit === WATT_HOUR && isElectricity(obis, c, 8));
  const total = found.find(({ obis }) => obis[4] === 0);
  if (total !== undefined) return numberOf(total);
  return found.length === 0 ? undefined : found.reduce((sum, register) => sum + numberOf(register), 0);
}

function isElectricity(obis: Uint8Array, c: number, d: number): boolean {
  return obis[0] === 1 && obis[1] === 0 && obis[2] === c && obis[3] === d && obis[5] === 255;
}

function numberOf({ value, scaler }: Register): number {
  return Number(value) * 10 ** scaler;
}

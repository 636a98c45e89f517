// What a person reads off a P1 telegram's text, by regular expressions alone, and the comparison of sealed registers with it.

import assert from "node:assert/strict";
import type { Item } from "../wire/independent-cbor.js";
import { bytesOf, list, numberOf } from "../wire/stranger-proof.js";

interface Quantity {
  readonly obis: string;
  readonly value: bigint;
  readonly scaler: number;
  readonly unit: number;
}

/** Units by their numbers in DLMS UA's Blue Book, table of units; prefixes as powers of ten. */
const units: Readonly<Record<string, number>> = {
  m3: 13,
  J: 25,
  W: 27,
  var: 29,
  Wh: 30,
  varh: 32,
  A: 33,
  V: 35,
  Hz: 44,
};
const prefixes: Readonly<Record<string, number>> = { k: 3, G: 9 };
const NO_UNIT = 255;
/** Rows of a meter's logs are given as further values of one code (F from 101 on); they are not compared here. */
const isLogged = (obis: string) => /\*1[0-2]\d$/.test(obis);
/** What a channel without a device shows for a time. */
const noTime = /^(70010101|63252525)/;

/** From the slash to the line of the exclamation mark: some files have what their recorder put behind it. */
export function telegramIn(file: Buffer): Buffer {
  const text = file.toString("latin1");
  return file.subarray(0, text.indexOf("\r\n", text.indexOf("\r\n!") + 2) + 2);
}

/** Every quantity with a unit must be among the registers, and every register must stand in the telegram. */
export function compareWithTelegram(text: string, registers: Item | undefined): void {
  const sealed = list(registers)
    .map(quantityOf)
    .filter(({ obis }) => !isLogged(obis));
  const stated = linesOf(text).flatMap(quantitiesIn);
  const printed = sealed.map(printedForm);
  for (const quantity of stated) {
    if (quantity.unit !== NO_UNIT)
      assert.ok(printed.includes(printedForm(quantity)), `${printedForm(quantity)} is not sealed`);
  }
  const known = stated.map(printedForm);
  for (const quantity of printed) assert.ok(known.includes(quantity), `${quantity} does not stand in the telegram`);
  assert.ok(sealed.length > 0);
}

function linesOf(text: string): readonly { readonly obis: string; readonly groups: readonly string[] }[] {
  const lines = text.replace(/\r\n\(/g, "(").split("\r\n");
  return lines.flatMap((line) => {
    const found = /^(\d+-\d+:\d+\.\d+\.\d+)(\*\d+)?((?:\([^()]*\))+)$/.exec(line);
    if (found === null) return [];
    const groups = [...found[3]!.matchAll(/\(([^()]*)\)/g)].map((match) => match[1]!);
    return [{ obis: found[1]! + (found[2] ?? "*255"), groups }];
  });
}

function quantitiesIn({ obis, groups }: { readonly obis: string; readonly groups: readonly string[] }): Quantity[] {
  // DSMR 3 and before: time, ..., channel's code, unit, value.
  if (groups.length === 7) return [quantity(`${groups[4]}*255`, `${groups[6]}*${groups[5]}`)].filter(isStated);
  if (groups.length === 2 && !noTime.test(groups[0]!)) return [quantity(obis, groups[1]!)].filter(isStated);
  return groups.length === 1 ? [quantity(obis, groups[0]!)].filter(isStated) : [];
}

function quantity(obis: string, text: string): Quantity | undefined {
  const [whole, digits, decimals = "", prefix = "", unit] = /^(\d+)(?:\.(\d+))?(?:\*([kG]?)(\w+))?$/.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const number = unit === undefined ? NO_UNIT : units[unit];
  // Seconds and the like stand in logs alone.
  if (number === undefined) return undefined;
  return { obis, value: BigInt(digits! + decimals), scaler: (prefixes[prefix] ?? 0) - decimals.length, unit: number };
}

function isStated(found: Quantity | undefined): found is Quantity {
  return found !== undefined;
}

function quantityOf(register: Item): Quantity {
  const [obis, value, scaler, unit] = list(register);
  return {
    obis: obisText(obis),
    value: BigInt(value as number | bigint),
    scaler: Number(scaler),
    unit: numberOf(unit, 255),
  };
}

export function obisText(obis: Item | undefined): string {
  const [a, b, c, d, e, f] = bytesOf(obis, 6);
  return `${a}-${b}:${c}.${d}.${e}*${f}`;
}

function printedForm({ obis, value, scaler, unit }: Quantity): string {
  return `${obis} = ${value} x 10^${scaler} unit ${unit}`;
}

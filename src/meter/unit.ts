// Units by their DLMS code (IEC 62056-6-2, table of physical units), and how P1 and D0 spell them: an SI prefix and the unit.

/** The code of a number without a unit. */
export const unitNone = 255;

/** DLMS code and name; the codes of a meter's usual quantities, not the whole table. */
const units: readonly (readonly [number, string])[] = [
  [4, "d"],
  [5, "h"],
  [6, "min"],
  [7, "s"],
  [8, "deg"],
  [9, "degC"],
  [13, "m3"],
  [14, "Nm3"],
  [15, "m3/h"],
  [16, "Nm3/h"],
  [19, "l"],
  [20, "kg"],
  [23, "Pa"],
  [24, "bar"],
  [25, "J"],
  [26, "J/h"],
  [27, "W"],
  [28, "VA"],
  [29, "var"],
  [30, "Wh"],
  [31, "VAh"],
  [32, "varh"],
  [33, "A"],
  [35, "V"],
  [44, "Hz"],
  [52, "K"],
  [56, "%"],
  [57, "Ah"],
];

/** Other spellings of the same units. */
const spellings: readonly (readonly [number, string])[] = [
  [29, "VAr"],
  [32, "VArh"],
  [8, "Deg"],
  [15, "m3ph"], // EN 1434-3
];

/** Power of ten of the prefixes that meters use; some write a capital K. */
const prefixes: readonly (readonly [number, string])[] = [
  [-3, "m"],
  [3, "k"],
  [3, "K"],
  [6, "M"],
  [9, "G"],
];

/** A unit as text means it: the DLMS code and the power of ten of its prefix. */
export interface SpelledUnit {
  readonly code: number;
  readonly exponent: number;
}

/** `kWh` is Wh times 10^3, `dm3` is m3 times 10^-3; undefined for a spelling that is not known. */
export function parseUnit(text: string): SpelledUnit | undefined {
  const whole = numberOf(units, text) ?? numberOf(spellings, text);
  if (whole !== undefined) return { code: whole, exponent: 0 };
  if (text === "dm3") return { code: 13, exponent: -3 };
  const exponent = numberOf(prefixes, text.charAt(0));
  const code = numberOf(units, text.slice(1)) ?? numberOf(spellings, text.slice(1));
  return exponent === undefined || code === undefined ? undefined : { code, exponent };
}

/** The name of a DLMS unit code: `Wh` for 30, the empty string for 255, `unit N` for a code that is not in the table. */
export function unitName(code: number): string {
  if (code === unitNone) return "";
  for (const [unit, name] of units) {
    if (unit === code) return name;
  }
  return `unit ${code}`;
}

/**
 * A handful of pairs searched in turn: constant arrays stay in a device's flash. By index, for XS makes an iterator and its results
 * anew for each pair that is taken apart, which is most of a meter's stack and heap while it reads a telegram.
 */
function numberOf(pairs: readonly (readonly [number, string])[], name: string): number | undefined {
  for (let index = 0; index < pairs.length; index += 1) {
    const pair = pairs[index]!;
    if (pair[1] === name) return pair[0];
  }
  return undefined;
}

// Which codes are of measured quantities (IEC 62056-6-1): what an object under such a code states becomes a register, or a doubt that
// names the code. Nothing of it is left out in silence.

import { matchesObis, type ObisPattern, parseObisPattern } from "./obis.js";
import { isPlainNumber } from "./plain-number.js";

/** C from here on is general: ids, states, versions, errors, profiles. */
const generalFrom = 96;
const electricity = 1;
/** Heat states under C = 6 what it measures, and from D = 34 on, and under C = 9, how (EN 1434-3). */
const heat = 6;
const heatMeasured = 6;
const heatSettingsFrom = 34;

const others: readonly ObisPattern[] = [
  "0-0:17.0.0", // the limiter's threshold
  "0-n:24.2.n", // what a device behind the meter states
  "0-n:24.3.0", // the same in DSMR 2.2 and 3.0
  "0-0:98.1.0", // monthly peaks
  "1-0:99.97.0", // long outages
].map(parseObisPattern);

/** Whether the code is of a quantity of electricity or heat, a device's value, a log, or a plain number that becomes a register. */
export function isMeasured(obis: Uint8Array): boolean {
  if (obis[0] === electricity && obis[2]! >= 1 && obis[2]! < generalFrom) return true;
  if (obis[0] === heat) return obis[2] === heatMeasured && obis[3]! < heatSettingsFrom;
  return others.some((pattern) => matchesObis(pattern, obis)) || isPlainNumber(obis);
}

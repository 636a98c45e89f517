// The objects whose plain number, without a unit, is a measured quantity or a state worth a register. All other plain numbers of a
// meter are ids, versions and dates.

import { matchesObis, type ObisPattern, parseObisPattern } from "./obis.js";

const numbers: readonly ObisPattern[] = [
  "0-0:96.14.0", // tariff
  "0-0:96.7.21", // outages of any phase
  "0-0:96.7.9", // long outages
  "0-n:96.3.10", // breaker
  "0-n:24.1.0", // type of the M-Bus device: 3 gas, 4 heat, 7 water
  "0-n:24.4.0", // its valve
  "1-n:0.1.0", // billing periods
  "1-n:32.32.0", // voltage sags by phase
  "1-n:52.32.0",
  "1-n:72.32.0",
  "1-n:32.36.0", // voltage swells by phase
  "1-n:52.36.0",
  "1-n:72.36.0",
  "1-n:13.7.0", // power factors
  "1-n:33.7.0",
  "1-n:53.7.0",
  "1-n:73.7.0",
].map(parseObisPattern);

/** Whether a plain number under this code becomes a register. */
export function isPlainNumber(obis: Uint8Array): boolean {
  return numbers.some((pattern) => matchesObis(pattern, obis));
}

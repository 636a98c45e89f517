// The unit that an electricity code implies (IEC 62056-6-1, value groups C and D), for meters that state a value without one.

import { unitNone } from "./unit.js";

const watt = 27;
const voltAmpere = 28;
const reactive = 29;
const ampere = 33;
const volt = 35;
const hertz = 44;
const instantaneous = 7;
const timeIntegral = 8;

/** DLMS unit of the quantity without prefix: W, VA, var, Wh, VAh, varh, A, V, Hz; 255 where the code implies none. */
export function impliedUnit(obis: Uint8Array): number {
  const [a, , c, d] = obis;
  if (a !== 1 || c! < 1 || c! > 80) return unitNone;
  // Total, then the phases: 1 to 20, 21 to 40, 41 to 60, 61 to 80.
  const quantity = ((c! - 1) % 20) + 1;
  const power = powerUnit(quantity);
  if (d === timeIntegral) return power === unitNone ? unitNone : power + 3;
  if (d !== instantaneous) return unitNone;
  if (power !== unitNone) return power;
  if (c! > 20 && quantity === 11) return ampere;
  if (c! > 20 && quantity === 12) return volt;
  return quantity === 14 ? hertz : unitNone;
}

/** 1, 2, 15 to 20 active, 3 to 8 reactive, 9 and 10 apparent. */
function powerUnit(quantity: number): number {
  if (quantity <= 2 || quantity >= 15) return watt;
  if (quantity <= 8) return reactive;
  return quantity <= 10 ? voltAmpere : unitNone;
}

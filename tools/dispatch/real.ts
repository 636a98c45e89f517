// Real numbers as contracts have them (docs/contracts.md): neither a square root nor names for what is beyond all numbers is there.
// By the four operations alone each machine comes to the same bits.

/** Beyond all numbers. */
export const infinite = 1 / 0;

/** A root of 1 to 4 has all its digits after so many means of a guess and what it leaves. */
const TURNS = 6;

export function isReal(value: number): boolean {
  return value > -infinite && value < infinite;
}

/** Within one unit in the last place. Of what is negative or no number it is no number either. */
export function squareRoot(value: number): number {
  if (value === 0 || value === infinite) return value;
  if (!(value > 0)) return 0 / 0;
  let [rest, scale] = [value, 1];
  while (rest >= 4) [rest, scale] = [rest / 4, scale * 2];
  while (rest < 1) [rest, scale] = [rest * 4, scale / 2];
  let root = (rest + 1) / 2;
  for (let turn = 0; turn < TURNS; turn += 1) root = (root + rest / root) / 2;
  return root * scale;
}

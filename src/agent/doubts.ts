// Claim 15 of a record: one bit a kind of doubt that the reader has about the frame (PROTOCOL.md, section 4, says what each means). A
// doubt never removes a value; it must be visible wherever the value is. A number once given keeps its meaning for ever.

const OTHER_BIT = 30;

/** Bit numbers of claim 15; a kind that is not named here sets bit 30. */
export const doubtBits: Readonly<Record<string, number>> = {
  unchecked: 0,
  "no-clock": 1,
  "malformed-line": 2,
  "never-read": 3,
  "no-unit": 4,
  "capture-invalid": 5,
  "capture-ahead": 6,
  duplicate: 7,
  fell: 8,
  jumped: 9,
  "clock-backwards": 10,
  range: 11,
  "reduced-resolution": 12,
  headless: 13,
  "registers-left-out": 14,
  "not-a-number": 15,
  derived: 16,
  unauthenticated: 17,
  replayed: 18,
  "assumed-scale": 19,
  "quirk-crc": 20,
  "quirk-sign": 21,
  "quirk-unit": 22,
  "quirk-scale": 23,
  resumed: 24,
  "not-understood": 25,
  "doubts-left-out": 26,
  contradiction: 27,
  "meter-error": 28,
};

/** Claim 15 for a reading's flags (`kind` or `kind obis`); undefined where there is no doubt. */
export function errorBitsOf(flags: readonly string[]): number | undefined {
  let bits = 0;
  for (const flag of flags) {
    const end = flag.indexOf(" ");
    const kind = end < 0 ? flag : flag.slice(0, end);
    bits |= 1 << (Object.hasOwn(doubtBits, kind) ? doubtBits[kind]! : OTHER_BIT);
  }
  return bits === 0 ? undefined : bits;
}

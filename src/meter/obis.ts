// OBIS codes as six bytes and as text, `1-0:1.8.1*255` (IEC 62056-6-1): A-B:C.D.E*F. The short form `1-0:1.8.1` means F = 255.

const groupCount = 6;
const separators = [0x2d, 0x3a, 0x2e, 0x2e, 0x2a]; // - : . . *
const wildcard = 0x6e; // n
const currentValue = 255;

/** Six value groups, each 0 to 255, or -1 where any value matches. */
export type ObisPattern = readonly number[];

/** The six bytes of `1-0:1.8.1*255` or `1-0:1.8.1`. Throws a RangeError for any other text. */
export function parseObis(text: string): Uint8Array {
  const groups = scanGroups(asciiOf(text), 0, text.length, false);
  if (groups === undefined)
    throw new RangeError(`OBIS code: expected the form 1-0:1.8.1 or 1-0:1.8.1*255, got "${text}"`);
  return Uint8Array.from(groups);
}

/** As `parseObis`, with `n` standing for any value of a group: `0-n:24.2.1`. Throws a RangeError for any other text. */
export function parseObisPattern(text: string): ObisPattern {
  const groups = scanGroups(asciiOf(text), 0, text.length, true);
  if (groups === undefined)
    throw new RangeError(`OBIS pattern: expected the form 1-0:1.8.1 or 0-n:24.2.1, got "${text}"`);
  return groups;
}

/** The six bytes of the OBIS code that fills `bytes` from `start` to `end`, or undefined where there is none. */
export function scanObis(bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
  const groups = scanGroups(bytes, start, end, false);
  return groups === undefined ? undefined : Uint8Array.from(groups);
}

/** `1-0:1.8.1*255` for the six bytes. */
export function formatObis(obis: Uint8Array): string {
  if (obis.length !== groupCount) throw new RangeError(`OBIS code: expected 6 bytes, got ${obis.length}`);
  return `${obis[0]}-${obis[1]}:${obis[2]}.${obis[3]}.${obis[4]}*${obis[5]}`;
}

/** Whether each group of the code is the pattern's, or the pattern leaves it open. */
export function matchesObis(pattern: ObisPattern, obis: Uint8Array): boolean {
  for (let group = 0; group < groupCount; group++) {
    if (pattern[group] !== -1 && pattern[group] !== obis[group]) return false;
  }
  return obis.length === groupCount;
}

/** Whether two codes are the same six bytes. */
export function sameObis(left: Uint8Array, right: Uint8Array): boolean {
  for (let group = 0; group < groupCount; group++) {
    if (left[group] !== right[group]) return false;
  }
  return true;
}

function scanGroups(bytes: Uint8Array, start: number, end: number, allowWildcard: boolean): number[] | undefined {
  const groups = [0, 0, 0, 0, 0, currentValue];
  let position = start;
  for (let group = 0; group < groupCount; group++) {
    if (allowWildcard && position < end && bytes[position] === wildcard) {
      groups[group] = -1;
      position++;
    } else {
      const first = position;
      let value = 0;
      while (position < end && position - first < 3 && isDigit(bytes[position]!)) {
        value = value * 10 + bytes[position]! - 0x30;
        position++;
      }
      if (position === first || value > 255) return undefined;
      groups[group] = value;
    }
    if (position === end) return group >= 4 ? groups : undefined;
    if (group === groupCount - 1 || bytes[position] !== separators[group]) return undefined;
    position++;
  }
  return undefined;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** One byte a character; what is not ASCII becomes a byte that no OBIS code contains. */
function asciiOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = Math.min(text.charCodeAt(index), 0xff);
  return bytes;
}

// The data sets of a D0 readout: `code(value*unit)(...)`, several on a line or one a line (IEC 62056-21, section 6.5). Codes may be
// reduced: `1.8.0`, `F.F`, `C.1`, `1.8.0*01` for a past billing period; the medium is then the readout's.

/** A code and its groups in parentheses, as ranges of the readout's bytes. */
export interface D0Object {
  readonly codeStart: number;
  readonly codeEnd: number;
  /** Start and end of each group in turn, without parentheses. */
  readonly groups: readonly number[];
}

const objectsMax = 1000;
/** The channels of a load profile. */
const groupsMax = 32;
const open = 0x28;
const close = 0x29;
const space = 0x20;
const currentValue = 255;

/**
 * Calls `visit` for every data set from `start` to before `end`. Groups without a code, the rows of a load profile, are passed
 * over. Returns how many stretches were no data set.
 */
export function eachObject(readout: Uint8Array, start: number, end: number, visit: (object: D0Object) => void): number {
  let malformed = 0;
  let position = start;
  for (let objects = 0; objects < objectsMax; objects++) {
    while (position < end && readout[position]! <= space) position++;
    if (position >= end) return malformed;
    const codeStart = position;
    while (position < end && readout[position] !== open && readout[position]! > space) position++;
    const codeEnd = position;
    const groups: number[] = [];
    while (position < end && readout[position] === open) {
      const from = position + 1;
      position = from;
      // A group ends on its line.
      while (
        position < end &&
        readout[position] !== close &&
        readout[position] !== open &&
        readout[position]! >= space
      ) {
        position++;
      }
      if (position === end || readout[position] !== close || groups.length === 2 * groupsMax) {
        groups.length = 0;
        break;
      }
      groups.push(from, position);
      position++;
    }
    if (groups.length === 0) malformed++;
    else if (codeEnd > codeStart) visit({ codeStart, codeEnd, groups });
  }
  return malformed + 1;
}

/**
 * The OBIS code that fills `bytes` from `start` to `end`: `A-B:C.D.E*F`, or without A, B, E and F. The letters C, F, L and P stand for
 * groups C and D of 96 to 99, which are abstract objects (A = 0) where no A is given. Undefined where it is no code.
 */
export function scanCode(bytes: Uint8Array, start: number, end: number, medium: number): Uint8Array | undefined {
  const groups: number[] = [];
  let separators = "";
  let isAbstract = false;
  let position = start;
  while (position < end) {
    let value = letterGroup(bytes[position]!);
    if (value >= 0) {
      isAbstract = true;
      position++;
    } else {
      const first = position;
      value = 0;
      while (position < end && position - first < 3 && isDigit(bytes[position]!)) {
        value = value * 10 + bytes[position]! - 0x30;
        position++;
      }
      if (position === first || value > 255) return undefined;
    }
    groups.push(value);
    if (position === end) break;
    separators += String.fromCharCode(bytes[position]!);
    position++;
    if (position === end || groups.length === 6) return undefined;
  }
  return arranged(groups, separators, isAbstract ? 0 : medium);
}

function arranged(groups: readonly number[], separators: string, medium: number): Uint8Array | undefined {
  const full = separators.startsWith("-:");
  const [a, b, ...rest] = full ? groups : [medium, 0, ...groups];
  const tail = full ? separators.slice(2) : separators;
  const hasPast = tail.endsWith("*") || tail.endsWith("&");
  const past = hasPast ? rest[rest.length - 1]! : currentValue;
  const current = hasPast ? rest.slice(0, -1) : rest;
  const points = hasPast ? tail.slice(0, -1) : tail;
  if (current.length < 1 || current.length > 3 || points !== ".".repeat(current.length - 1)) return undefined;
  const [c, d, e] = current;
  // The error register is `F` alone in some readouts.
  if (d === undefined && c !== 97) return undefined;
  return Uint8Array.of(a!, b!, c!, d ?? c!, e ?? 0, past);
}

/** 96 for C, 97 for F, 98 for L, 99 for P, otherwise -1. */
function letterGroup(byte: number): number {
  if (byte === 0x43) return 96;
  if (byte === 0x46) return 97;
  if (byte === 0x4c) return 98;
  return byte === 0x50 ? 99 : -1;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

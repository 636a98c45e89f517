// The objects of a P1 telegram: an OBIS code and its groups in parentheses. A line that begins with a parenthesis continues the
// object before it, as the M-Bus value of DSMR 2.2 and 3.0 does.

import { scanObis } from "../obis.js";

/** `obis(group)(group)...`; a group is a range of the telegram's bytes, without its parentheses. */
export interface P1Object {
  readonly obis: Uint8Array;
  /** Start and end of each group in turn. */
  readonly groups: readonly number[];
}

export interface P1Objects {
  readonly objects: readonly P1Object[];
  /** Lines that are not an object, or one too many. */
  readonly malformedLines: number;
}

/** Above Fluvius with four M-Bus channels, which has about 60. */
const objectsMax = 200;
/** 13 monthly peaks make 42. */
const groupsMax = 96;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const open = 0x28;
const close = 0x29;

/** The objects of a telegram's lines, from the end of its header to before `end`. */
export function scanObjects(telegram: Uint8Array, end: number): P1Objects {
  const objects: P1Object[] = [];
  let current: number[] | undefined;
  let malformedLines = 0;
  let start = lineEnd(telegram, 0, end) + 1;
  while (start < end) {
    const next = lineEnd(telegram, start, end);
    const last = telegram[next - 1] === carriageReturn ? next - 1 : next;
    if (last > start) {
      const opening = groupsStart(telegram, start, last);
      if (opening > start) {
        const obis = objects.length < objectsMax ? scanObis(telegram, start, opening) : undefined;
        current = obis === undefined ? undefined : [];
        if (obis !== undefined && current !== undefined) objects.push({ obis, groups: current });
      }
      if (current === undefined || !scanGroups(telegram, opening, last, current)) malformedLines++;
    }
    start = next + 1;
  }
  return { objects, malformedLines };
}

/** Adds the groups that fill the range; false, with none of them added, where something else does. */
function scanGroups(telegram: Uint8Array, start: number, end: number, groups: number[]): boolean {
  const before = groups.length;
  let position = start;
  while (position < end) {
    const from = position + 1;
    position = from;
    while (position < end && telegram[position] !== close && telegram[position] !== open) position++;
    if (
      telegram[from - 1] !== open ||
      position === end ||
      telegram[position] !== close ||
      groups.length >= 2 * groupsMax
    ) {
      groups.length = before;
      return false;
    }
    groups.push(from, position);
    position++;
  }
  return groups.length > before;
}

function groupsStart(telegram: Uint8Array, start: number, end: number): number {
  let position = start;
  while (position < end && telegram[position] !== open) position++;
  return position;
}

function lineEnd(telegram: Uint8Array, start: number, end: number): number {
  let position = start;
  while (position < end && telegram[position] !== lineFeed) position++;
  return position;
}

// A push list as Czech utilities have it (the customer interfaces of EG.D and ČEZ): an enum, and an array of structures of an attribute
// descriptor without tags (IEC 62056-5-3: class, code, attribute) and its value. All quantities are in the unit itself.

import { bigEndian } from "../integer.js";
import { impliedUnit } from "../quantity.js";
import { unitNone } from "../unit.js";
import { type DlmsValue, scanLength, scanValues, tagArray, tagEnum, tagStructure } from "./axdr.js";
import type { Scale } from "./scales.js";

/** The codes and values of a list, and where it ends. */
export interface DescribedList {
  readonly codes: readonly Uint8Array[];
  readonly values: readonly DlmsValue[];
  readonly end: number;
}

const classBytes = 2;
const codeBytes = 6;
const descriptorBytes = classBytes + codeBytes + 1;
const classMax = 255;
const elementsMax = 128;
const limiter = 17;
const watt = 27;

/** The list at `start`; undefined where the bytes are another, or too few. */
export function scanDescribed(bytes: Uint8Array, start: number): DescribedList | undefined {
  const isList = bytes[start] === tagStructure && bytes[start + 1] === 2 && bytes[start + 2] === tagEnum;
  if (!isList || bytes[start + 4] !== tagArray) return undefined;
  const count = scanLength(bytes, start + 5);
  if (count === undefined || count.value === 0 || count.value > elementsMax) return undefined;
  const codes: Uint8Array[] = [];
  const values: DlmsValue[] = [];
  let position = count.end;
  while (codes.length < count.value) {
    const code = position + 2 + classBytes;
    const isElement = bytes[position] === tagStructure && bytes[position + 1] === 2;
    if (!isElement || position + 2 + descriptorBytes >= bytes.length) return undefined;
    if (Number(bigEndian(bytes, position + 2, classBytes, false)) > classMax || bytes[code]! > 15) return undefined;
    // The value alone, though it be a tree: what a tree holds is nothing that a code names.
    const tree = scanValues(bytes, position + 2 + descriptorBytes);
    if (tree === undefined) return undefined;
    codes.push(bytes.slice(code, code + codeBytes));
    values.push(tree[0]!);
    position = tree[tree.length - 1]!.end;
  }
  return { codes, values, end: position };
}

/** Scaler and unit of a code of such a list. */
export function describedScale(obis: Uint8Array): Scale | undefined {
  if (obis[0] === 0 && obis[2] === limiter) return { scaler: 0, unit: watt };
  const unit = impliedUnit(obis);
  return unit === unitNone ? undefined : { scaler: 0, unit };
}

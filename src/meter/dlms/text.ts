// What strings in a DLMS notification are: codes, names and ids, and the object that says what a push list holds.

import { hexOf } from "../hex.js";
import { type DlmsValue, isString, tagOctets } from "./axdr.js";

const pushSetup = [25, 9, 0, 255] as const;

/** The code that an octet string of six bytes is: group A names a medium below 16. */
export function codeOf(bytes: Uint8Array, { tag, start, end }: DlmsValue): Uint8Array | undefined {
  return tag === tagOctets && end - start === 6 && bytes[start]! < 16 ? bytes.slice(start, end) : undefined;
}

/** Characters where all are printable but for zeros that fill it up, otherwise hex. */
export function textOf(bytes: Uint8Array, { start, end: last }: DlmsValue): string {
  let end = last;
  while (end > start + 1 && bytes[end - 1] === 0) end--;
  let text = "";
  for (let index = start; index < end; index++) {
    const byte = bytes[index]!;
    if (byte < 0x20 || byte > 0x7e) return hexOf(bytes, start, last);
    text += String.fromCharCode(byte);
  }
  return text;
}

/** The first text that is not a code. */
export function listName(bytes: Uint8Array, values: readonly DlmsValue[]): string {
  const first = values.find((value) => isString(value) && codeOf(bytes, value) === undefined);
  return first === undefined ? "" : textOf(bytes, first);
}

/** Whether the value is the code of a push setup, 0-n:25.9.0. */
export function isPushSetup(bytes: Uint8Array, value: DlmsValue): boolean {
  const code = codeOf(bytes, value);
  return code !== undefined && code[0] === 0 && pushSetup.every((group, index) => code[index + 2] === group);
}

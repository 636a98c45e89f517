// What a participant asks with, read field by field, and why it is not done. Contracts of the market bundle it.

import type { Operation, Value } from "../contracts/author.js";

/** Why an operation is not done: the rule, and what of it. Thrown before anything is written. */
export class Denied extends Error {
  readonly rule: string;
  readonly about: Value;

  constructor(rule: string, about: Value = null) {
    super(rule);
    this.rule = rule;
    this.about = about;
  }
}

/** Throws Denied unless it holds. */
export function granted(holds: boolean, rule: string, about: Value = null): asserts holds {
  if (!holds) throw new Denied(rule, about);
}

/** Throws Denied unless the operation's signer has one of the roles. */
export function grantedTo({ roles }: Operation, allowed: readonly number[]): void {
  granted(
    roles.some((role) => allowed.includes(role)),
    "role",
    allowed,
  );
}

export type Fields = { readonly [name: string]: Value };

/** The fields of a body. Throws Denied where it is no object, or has others than these. */
export function fieldsOf(body: Value, names: readonly string[]): Fields {
  const isObject = typeof body === "object" && body !== null && !Array.isArray(body);
  granted(isObject, "malformed", "body");
  for (const name of Object.keys(body)) granted(names.includes(name), "malformed", name);
  return body as Fields;
}

/** A text of 1 to 64 characters. */
export function textOf(value: Value | undefined, field: string): string {
  granted(typeof value === "string" && value.length > 0 && value.length <= 64, "malformed", field);
  return value;
}

/** A name that keys of the state can have: 1 to 32 of a-z, 0-9 and -. */
export function nameOf(value: Value | undefined, field: string): string {
  const text = textOf(value, field);
  let isName = text.length <= 32;
  for (const character of text) isName &&= "abcdefghijklmnopqrstuvwxyz0123456789-".includes(character);
  granted(isName, "malformed", field);
  return text;
}

export function oneOf<Word extends string>(value: Value | undefined, words: readonly Word[], field: string): Word {
  granted(words.includes(value as Word), "malformed", field);
  return value as Word;
}

/** An integer within bounds, both included. */
export function wholeOf(value: Value | undefined, [least, most]: readonly [number, number], field: string): number {
  granted(typeof value === "number" && value >= least && value <= most, "malformed", field);
  return value;
}

/** A list with 1 to `most` items. */
export function listOf(value: Value | undefined, most: number, field: string): readonly Value[] {
  granted(Array.isArray(value) && value.length > 0 && value.length <= most, "malformed", field);
  return value as readonly Value[];
}

/** UTC seconds from which something holds: now where they are null or not there. Throws Denied where they are past. */
export function momentOf(value: Value | undefined, now_s: number, field: string): number {
  if (value === undefined || value === null) return now_s;
  const from = wholeOf(value, [0, TIME_S_MAX], field);
  granted(from >= now_s, "past", field);
  return from;
}

export const TIME_S_MAX = 4_398_046_511_103;

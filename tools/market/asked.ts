// What a participant asks with, read field by field, and why it is not done. Contracts of the market bundle it.

import type { Context, Operation, Value } from "../contracts/author.js";

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

/** Does what is asked, or says by which rule it is not done. */
export function denying(context: Context, act: () => void): void {
  try {
    act();
  } catch (thrown) {
    if (!(thrown instanceof Denied)) throw thrown;
    context.deny(thrown.rule, thrown.about);
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

/** Roles of a credential (PROTOCOL.md, section 5) that say whose points are: grid operator, metered data administrator. */
export const meteringRoles: readonly number[] = [5, 13];

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

/** A text of 1 to 64 visible characters of ASCII, or blanks: as many bytes where it is kept. */
export function plainOf(value: Value | undefined, field: string): string {
  const text = textOf(value, field);
  for (const character of text) granted(character >= " " && character <= "~", "malformed", field);
  return text;
}

/** So many lower-case hex digits. */
export function hexOf(value: Value | undefined, digits: number, field: string): string {
  granted(typeof value === "string" && value.length === digits, "malformed", field);
  for (const character of value) granted("0123456789abcdef".includes(character), "malformed", field);
  return value;
}

/** An ID: 16 lower-case hex digits. */
export function idOf(value: Value | undefined, field: string): string {
  return hexOf(value, 16, field);
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

/**
 * UTC seconds from which something holds: now where they are null or not there. Throws Denied where they are past, or so far ahead that
 * nobody would live to see the next one.
 */
export function momentOf(value: Value | undefined, now_s: number, field: string): number {
  if (value === undefined || value === null) return now_s;
  const from = wholeOf(value, [0, TIME_S_MAX], field);
  granted(from >= now_s, "past", field);
  granted(from <= now_s + AHEAD_S_MAX, "too-far", field);
  return from;
}

/** How far ahead something may begin: five years. */
export const AHEAD_S_MAX = 157_788_000;

/** What one participant has stated so far, which is bounded: the state has room for the others too. Throws Denied. */
export function countStated(
  context: Context,
  participant: string,
  { added, most }: { readonly added: number; readonly most: number },
): void {
  const key = `stated/${participant}`;
  const before = Number(context.get(key) ?? 0);
  const count = before + added;
  granted(added <= 0 || count <= most, "full", most);
  if (count === before) return;
  if (count === 0) context.remove(key);
  else context.put(key, count);
}

export const TIME_S_MAX = 4_398_046_511_103;

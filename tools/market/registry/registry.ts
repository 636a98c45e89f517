// The registry: names with what they stand for, by jurisdiction, from a height of this chain on. Nothing that was set is changed:
// the next version counts from its own height on, so what was in force at any height can be told.
// Parameters: `kept_versions`, how many versions of an entry stay (32).

import type { Context, Message, Operation, Value } from "../../contracts/author.js";

export const reads: readonly string[] = [];
export const writes = ["entry/"];

/** Types of operations. */
const SET = 1;
const REGULATOR = 10;
const NAME_MAX = 64;

/** From which height on, what it stands for (null: nothing any more), and who has said so. */
type Version = readonly [from: number, value: Value, by: string];

interface Entry {
  readonly name: string;
  /** ISO 3166 code; null where nothing else is set */
  readonly jurisdiction: string | null;
}

export function operation(context: Context, { type, participant, roles, jurisdiction: own, body }: Operation): void {
  const asked = entryOf(body);
  if (type !== SET || asked === undefined) return context.deny("malformed");
  const { name, jurisdiction, from, value } = asked;
  if (own !== null && (jurisdiction === null || !isWithin(jurisdiction, own))) {
    return context.deny("foreign-jurisdiction", { jurisdiction, own });
  }
  if (from <= context.height) return context.deny("height-past", { from, height: context.height });
  const versions = versionsOf(context, asked);
  const [first] = versions;
  if (first !== undefined && first[2] !== participant && !roles.includes(REGULATOR)) {
    return context.deny("not-yours", { name, by: first[2] });
  }
  const last = versions[versions.length - 1];
  if (last !== undefined && from <= last[0]) return context.deny("not-above", { from, last: last[0] });
  const kept = Number(context.parameters.kept_versions ?? 32);
  const next: Version = [from, value, participant];
  context.put(keyOf(asked), [...versions, next].slice(-kept) as unknown as Value);
  context.effect("set", { name, jurisdiction, from, value });
}

/** A contract of another chain asks what is in force, and is told in its turn. */
export function message(context: Context, { service, name, body }: Message): void {
  const asked = entryOf(body);
  if (name !== "ask-registry" || asked === undefined) return context.deny("malformed");
  const height = asked.from === 0 ? context.height : asked.from;
  const found = inForce(context, asked, height);
  const answer = { name: asked.name, jurisdiction: asked.jurisdiction, height, value: found?.[1] ?? null };
  context.message(service, "registry-says", { ...answer, from: found?.[0] ?? null });
}

/** The narrower counts over the wider: DE-BY over DE over what is set everywhere. */
function inForce(context: Context, { name, jurisdiction }: Entry, height: number): Version | undefined {
  const country = jurisdiction === null ? null : jurisdiction.slice(0, 2);
  for (const place of [jurisdiction, country, null]) {
    const versions = versionsOf(context, { name, jurisdiction: place }).filter(([from]) => from <= height);
    const last = versions[versions.length - 1];
    if (last !== undefined) return last;
  }
  return undefined;
}

function versionsOf(context: Context, entry: Entry): readonly Version[] {
  return (context.get(keyOf(entry)) ?? []) as unknown as readonly Version[];
}

function keyOf({ name, jurisdiction }: Entry): string {
  return `entry/${name}/${jurisdiction ?? ""}`;
}

function isWithin(jurisdiction: string, own: string): boolean {
  return jurisdiction === own || jurisdiction.startsWith(`${own}-`);
}

/** `{ name, jurisdiction, from, value }`; of a question `from` is the height, 0 for the block's own. */
function entryOf(body: Value): (Entry & { readonly from: number; readonly value: Value }) | undefined {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return undefined;
  const { name, jurisdiction = null, from = 0, value = null } = body as { readonly [key: string]: Value };
  if (typeof name !== "string" || !isName(name)) return undefined;
  if (jurisdiction !== null && (typeof jurisdiction !== "string" || !isCode(jurisdiction))) return undefined;
  if (typeof from !== "number" || from < 0) return undefined;
  return { name, jurisdiction, from, value };
}

/** Of a-z, 0-9, - and ., a letter first. */
function isName(text: string): boolean {
  if (text.length === 0 || text.length > NAME_MAX || !isBetween(text.slice(0, 1), "a", "z")) return false;
  for (const sign of text) {
    if (!isBetween(sign, "a", "z") && !isBetween(sign, "0", "9") && sign !== "-" && sign !== ".") return false;
  }
  return true;
}

/** ISO 3166: a country, or a part of it. */
function isCode(text: string): boolean {
  if (text.length !== 2 && (text.length < 4 || text.length > 6 || text.slice(2, 3) !== "-")) return false;
  for (const sign of text.slice(0, 2)) if (!isBetween(sign, "A", "Z")) return false;
  for (const sign of text.slice(3)) if (!isBetween(sign, "A", "Z") && !isBetween(sign, "0", "9")) return false;
  return true;
}

function isBetween(sign: string, first: string, last: string): boolean {
  return sign >= first && sign <= last;
}

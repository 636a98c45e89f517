// The registry: names with what they stand for, by jurisdiction, from a height of this chain on. Nothing that counts is changed:
// the next version counts from its own height on, so what was in force at any height can be told. What does not count yet can be replaced.
// Parameters: `kept_versions`, how many versions of an entry stay (32); `horizon`, from how many heights ahead on one may count (100,000);
// `roles`, who may name something, numbers with commas between (3,4,5,7,8,10,12,13).

import type { Context, Message, Operation, Value } from "../../contracts/author.js";
import { countStated, denying, granted } from "../asked.js";

export const reads: readonly string[] = [];
export const writes = ["entry/", "stated/"];

/** Types of operations. */
const SET = 1;
const REGULATOR = 10;
const NAME_MAX = 64;
/** Community manager, supplier, grid operator, market operator, settlement agent, regulator, both administrators (PROTOCOL.md, section 5). */
const ROLES: readonly number[] = [3, 4, 5, 7, 8, 10, 12, 13];
const HORIZON = 100_000;
/** Names of one participant. */
const NAMES_MAX = 256;
/** Versions of a name that do not count yet: those that do keep their place. */
const PENDING_MAX = 8;
/** Bytes of what a name stands for, and of all its versions. */
const VALUE_MAX = 4_000;
const VERSIONS_MAX = 15_000;

/** From which height on, what it stands for (null: nothing any more), and who has said so. */
type Version = readonly [from: number, value: Value, by: string];

interface Entry {
  readonly name: string;
  /** ISO 3166 code; null where nothing else is set */
  readonly jurisdiction: string | null;
}

export function operation(context: Context, asked: Operation): void {
  denying(context, () => setEntry(context, asked));
}

function setEntry(context: Context, { type, participant, roles, jurisdiction: own, body }: Operation): void {
  const asked = entryOf(body);
  granted(type === SET && asked !== undefined, "malformed");
  const { name, jurisdiction, from, value } = asked;
  const allowed = rolesOf(context);
  granted(
    roles.some((role) => allowed.includes(role)),
    "role",
    allowed,
  );
  const isForeign = own !== null && (jurisdiction === null || !isWithin(jurisdiction, own));
  granted(!isForeign, "foreign-jurisdiction", { jurisdiction, own });
  const { height } = context;
  granted(from > height, "height-past", { from, height });
  const most = height + Number(context.parameters.horizon ?? HORIZON);
  granted(from <= most, "too-far", { from, most });
  granted(sizeOf(value) <= VALUE_MAX, "too-large", VALUE_MAX);
  const versions = versionsOf(context, asked);
  const [first] = versions;
  const isOwn = first === undefined || first[2] === participant || roles.includes(REGULATOR);
  granted(isOwn, "not-yours", { name, by: first?.[2] ?? null });
  // What counts already stays; what was to count from then on or later has not counted yet.
  const before = versions.filter((version) => version[0] <= height || version[0] < from);
  const pending = before.filter((version) => version[0] > height).length;
  granted(pending < PENDING_MAX, "full", PENDING_MAX);
  if (first === undefined) countStated(context, participant, { added: 1, most: NAMES_MAX });
  const kept = Number(context.parameters.kept_versions ?? 32);
  const next: Version = [from, value, participant];
  context.put(keyOf(asked), newest([...before, next], kept) as unknown as Value);
  context.effect("set", { name, jurisdiction, from, value, replaced: versions.length - before.length });
}

function rolesOf({ parameters }: Context): readonly number[] {
  return typeof parameters.roles === "string" ? parameters.roles.split(",").map(Number) : ROLES;
}

/** The newest versions, so many and no more than a value of the state has room for. */
function newest(versions: readonly Version[], most: number): readonly Version[] {
  let size = 0;
  let first = versions.length;
  while (first > 0 && versions.length - first < most) {
    size += sizeOf(versions[first - 1]!);
    if (size > VERSIONS_MAX) break;
    first -= 1;
  }
  return versions.slice(first);
}

/** No less than its bytes. */
function sizeOf(value: Value): number {
  if (typeof value === "string") return 3 + 3 * value.length;
  if (typeof value !== "object" || value === null) return 9;
  const items = Array.isArray(value) ? value : Object.entries(value as { readonly [name: string]: Value }).flat();
  let size = 3;
  for (const item of items as readonly Value[]) size += sizeOf(item);
  return size;
}

/** A contract of another chain asks what is in force, and is told in its turn. */
export function message(context: Context, said: Message): void {
  denying(context, () => tellEntry(context, said));
}

function tellEntry(context: Context, { service, name, body }: Message): void {
  const asked = entryOf(body);
  granted(name === "ask-registry" && asked !== undefined, "malformed");
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

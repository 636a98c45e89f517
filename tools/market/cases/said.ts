// What chains have told of violations, by whom they are against: of each subject the newest stay, so that nobody presses out what is
// told of others. Where there are too many subjects or rows in all, those go that were first told of. What goes stays sealed in its
// block, and is too old for a case: an effect `lapsed` says so.

import type { Context, Value } from "../../contracts/author.js";
import { Denied } from "../asked.js";
import { numberOf } from "./parameters.js";

/** Of a violation, as its chain has told it. */
export interface Told {
  readonly kind: number;
  readonly rule: string | null;
}
type Row = readonly [id: string, kind: number, number: number | null, rule: string | null];

interface Message {
  readonly service: number;
  readonly height: number;
  readonly first: number;
  readonly rows: readonly Value[];
}

/** Bytes that the rows of one subject take at most: 100 such values, as a message may change, fit the output of a run. */
const OF_ONE_BYTES_MAX = 2_000;
/** What a row takes beside its texts. */
const ROW_BYTES = 18;
/** Subjects in one list: no fewer than one message brings, so that room for them is made by letting go of one list. */
const LISTED = 100;

/** Numbers of the oldest and of the newest list of subjects, and rows in all. */
type Tally = readonly [oldest: number, newest: number, rows: number];

/** Keeps the rows of a message, and says what nothing is kept of any more. */
export function keepSaid(context: Context, message: Message): void {
  makeRoom(context, message.rows.length);
  const [oldest, newest, rows] = tallyOf(context);
  let count = rows;
  const [fresh, lapsed]: [string[], string[]] = [[], []];
  for (const [subject, told] of bySubject(message)) {
    const before = rowsOf(context, subject);
    const { kept, gone } = newestOf([...(before ?? []), ...told]);
    if (before === undefined) fresh.push(subject);
    putRows(context, subject, kept);
    lapsed.push(...gone);
    count += told.length - gone.length;
  }
  context.put("kept/said", [oldest, listSubjects(context, newest, fresh), count]);
  context.put("kept/told", { ...toldUpTo(context), [String(message.service)]: message.height });
  if (lapsed.length > 0) context.effect("lapsed", { violations: lapsed });
}

/** What is told of a violation against this subject. Throws Denied where nothing is, or nothing is kept of it. */
export function saidOf(context: Context, id: string, subject: string): Told {
  const row = rowsOf(context, subject)?.find(([own]) => own === id);
  if (row === undefined) {
    const [service, height] = id.split(":");
    const isTold = Number(height) <= (toldUpTo(context)[service!] ?? -1);
    throw new Denied(isTold ? "not-kept" : "unknown-violation", id);
  }
  const [, kind, , rule] = row;
  return { kind, rule };
}

/** Lets go of what is told of a violation, as it has a case from now on: once that goes, nobody opens it again. */
export function dropSaid(context: Context, id: string, subject: string): void {
  const rows = rowsOf(context, subject) ?? [];
  const left = rows.filter(([own]) => own !== id);
  putRows(context, subject, left);
  const [oldest, newest, count] = tallyOf(context);
  context.put("kept/said", [oldest, newest, count - (rows.length - left.length)]);
}

/** One list of subjects goes, those that were first told of, where there is no room for so many rows more. */
function makeRoom(context: Context, coming: number): void {
  const [oldest, newest, count] = tallyOf(context);
  const subjects = (newest - oldest) * LISTED + listAt(context, newest).length;
  const hasRoom = count + coming <= numberOf(context, "kept_rows", 32_768);
  if (oldest === newest || (hasRoom && subjects + coming <= numberOf(context, "kept_subjects", 16_384))) return;
  let left = count;
  for (const subject of listAt(context, oldest)) {
    left -= rowsOf(context, subject)?.length ?? 0;
    context.remove(`said/${subject}`);
  }
  context.effect("lapsed", { subjects: listAt(context, oldest) });
  context.remove(`kept/said/${oldest}`);
  context.put("kept/said", [oldest + 1, newest, left]);
}

/** Lists subjects that are told of for the first time, behind the others. Returns the number of the newest list. */
function listSubjects(context: Context, newest: number, fresh: readonly string[]): number {
  if (fresh.length === 0) return newest;
  const listed = listAt(context, newest);
  const room = LISTED - listed.length;
  if (room > 0) context.put(`kept/said/${newest}`, [...listed, ...fresh.slice(0, room)]);
  if (fresh.length <= room) return newest;
  context.put(`kept/said/${newest + 1}`, fresh.slice(room));
  return newest + 1;
}

function bySubject({ service, height, first, rows }: Message): Map<string, Row[]> {
  const all = new Map<string, Row[]>();
  for (let at = 0; at < rows.length; at += 1) {
    const [kind, subject, number, rule] = rows[at] as unknown as readonly [
      number,
      string,
      number | null,
      string | null,
    ];
    const own = all.get(subject) ?? [];
    own.push([`${service}:${height}:${first + at}`, kind, number, rule]);
    all.set(subject, own);
  }
  return all;
}

/** The newest of a subject's rows, one at least, and the names of the others. */
function newestOf(rows: readonly Row[]): { readonly kept: readonly Row[]; readonly gone: readonly string[] } {
  let first = rows.length - 1;
  let bytes = bytesOf(rows[first]!);
  while (first > 0 && bytes + bytesOf(rows[first - 1]!) <= OF_ONE_BYTES_MAX) {
    first -= 1;
    bytes += bytesOf(rows[first]!);
  }
  return { kept: rows.slice(first), gone: rows.slice(0, first).map(([id]) => id) };
}

function bytesOf([id, , , rule]: Row): number {
  return ROW_BYTES + id.length + (rule?.length ?? 0);
}

function rowsOf(context: Context, subject: string): readonly Row[] | undefined {
  return context.get(`said/${subject}`) as unknown as readonly Row[] | undefined;
}

function putRows(context: Context, subject: string, rows: readonly Row[]): void {
  context.put(`said/${subject}`, rows as unknown as Value);
}

function listAt(context: Context, number: number): readonly string[] {
  return (context.get(`kept/said/${number}`) ?? []) as unknown as readonly string[];
}

function tallyOf(context: Context): Tally {
  return (context.get("kept/said") ?? [0, 0, 0]) as unknown as Tally;
}

/** Up to which height each chain has told its violations: its messages come by height. */
function toldUpTo(context: Context): { readonly [service: string]: number } {
  return (context.get("kept/told") ?? {}) as { readonly [service: string]: number };
}

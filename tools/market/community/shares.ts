// Shares of a closed slot: each community's members with their energies, what each is offered and covered with, what is left over.

import type { Context, Slot, Value } from "../../contracts/author.js";
import { quotient, sum } from "../amounts.js";
import { KEY_PARTS, shareOut, sharesOf } from "../sharing.js";
import { rowsByPoint } from "../slot-rows.js";
import { addToAccounts, slotRow } from "./accounts.js";
import {
  type Community,
  type Energies,
  type Energy,
  holdsAt,
  type Member,
  membersOf,
  type Numbered,
  type Point,
  padded,
  type ShareRow,
  type Terms,
  termsAt,
} from "./kept.js";

/** Slots whose energies are kept for corrections: 31 days of 900 s. */
const KEPT_SLOTS = 2_976;
/** Slots that are forgotten at once, where some between two have never closed. */
const FORGOTTEN_MAX = 8;
const SHARES_TOGETHER = 100;

type Energied = Numbered & { readonly energy: Energy };

export function slot(context: Context, rows: Slot): void {
  const { first, count, points } = rows;
  const energies = rowsByPoint(points);
  const isLast = first + points.length === count;
  for (const key of context.keys("community/")) {
    const id = key.slice("community/".length);
    const community = context.get(key) as unknown as Community;
    const terms = termsAt(community, rows.start_s);
    if (terms === undefined) continue;
    const holding = membersOf(context, id).filter(({ member }) => holdsAt(member[4], member[5], rows.start_s));
    const found = [...gathered(context, id, first), ...energiesFor(context, { holding, energies, id }, rows.start_s)];
    if (holding.length === 0) continue;
    if (isLast) close(context, { id, community, terms, holding, found }, rows);
    else context.put(`gathered/${id}`, found);
  }
  if (isLast) noteClosed(context, rows);
}

/** What earlier parts of the slot have shown of a community's members. */
function gathered(context: Context, id: string, first: number): readonly Energy[] {
  if (first === 0) return [];
  const found = context.get(`gathered/${id}`);
  context.remove(`gathered/${id}`);
  return (found ?? []) as unknown as readonly Energy[];
}

interface Asked {
  readonly holding: readonly Numbered[];
  readonly energies: ReadonlyMap<string, Slot["points"][number]>;
  readonly id: string;
}

function energiesFor(context: Context, { holding, energies, id }: Asked, start_s: number): Energy[] {
  const found: Energy[] = [];
  for (const { number, member } of holding) {
    const row = energies.get(member[0]);
    if (row === undefined) continue;
    const [, taken, given, quality] = row;
    const part = (energy: Value) => partOf(context, { energy, id, member }, start_s);
    found.push([number, part(taken), part(given), quality]);
  }
  return found;
}

/** A point's energy as far as it is in a community. Parts of all its communities add up to theirs of the whole. */
export function partOf(
  context: Context,
  { energy, id, member }: { readonly energy: Value; readonly id: string; readonly member: Member },
  start_s: number,
): Value {
  const [point, , factor] = member;
  if (typeof energy !== "number" && typeof energy !== "bigint") return null;
  // A submeter that takes more than its point has makes it negative: there is nothing to share.
  if (energy <= 0) return 0;
  if (factor === Number(KEY_PARTS)) return energy;
  const { parts } = context.get(`point/${point}`) as unknown as Point;
  const holding = parts.filter(([, , , from, until]) => holdsAt(from, until, start_s));
  const factors = holding.map(([, , each]) => BigInt(each));
  const shared = shareOut(quotient(BigInt(energy) * sum(factors), KEY_PARTS), factors);
  return shared[holding.findIndex(([community]) => community === id)]!;
}

interface Closing {
  readonly id: string;
  readonly community: Community;
  /** index of the terms */
  readonly terms: number;
  readonly holding: readonly Numbered[];
  readonly found: readonly Energy[];
}

function close(context: Context, { id, community, terms, holding, found }: Closing, { start_s, length_s }: Slot): void {
  const byNumber = new Map(found.map((energy) => [energy[0], energy] as const));
  const members = holding.map(
    (each): Energied => ({ ...each, energy: byNumber.get(each.number) ?? [each.number, null, null, 3] }),
  );
  const rows = shareRows(members, community.terms[terms]!);
  const energies: Energies = { revision: 0, rows: members.map(({ energy }) => energy) };
  context.put(energyKey(id, start_s), energies);
  const { model, rounding } = community.terms[terms]!;
  context.effect("shares", { community: id, start: start_s, length: length_s, model, rounding, revision: 0, rows });
  putNewest(context, id, { start_s, rows });
  const slotRows = members.map(({ number, energy }, index) => slotRow(number, rows[index]!, energy[3]));
  addToAccounts(context, { id, community, terms, start_s }, slotRows);
}

export function energyKey(id: string, start_s: number): string {
  return `energy/${id}/${padded(start_s, 13)}`;
}

/** Members' shares by the terms, in the members' order. */
export function shareRows(members: readonly Energied[], { model, rounding }: Terms): ShareRow[] {
  const consumed = members.map(({ energy }) => BigInt((energy[1] ?? 0) as number | bigint));
  const produced = members.map(({ energy }) => BigInt((energy[2] ?? 0) as number | bigint));
  const key = model === "proportional" ? {} : { key: members.map(({ member }) => BigInt(member[3])) };
  const { offered, covered, surplus } = sharesOf({ model, rounding, produced, consumed, ...key });
  return members.map(({ member, energy }, index) => [
    ...([member[0], consumed[index]!, offered[index]!, covered[index]!] as const),
    ...([produced[index]!, surplus[index]!, energy[3]] as const),
  ]);
}

/** The newest slot's shares stand in the state, where a proof finds them. */
function putNewest(
  context: Context,
  id: string,
  { start_s, rows }: { readonly start_s: number; readonly rows: readonly ShareRow[] },
): void {
  const keys: string[] = [];
  for (let at = 0; at < rows.length; at += SHARES_TOGETHER) {
    const key = `shares/${id}/${padded(keys.length, 2)}`;
    context.put(key, { start: start_s, rows: rows.slice(at, at + SHARES_TOGETHER) });
    keys.push(key);
  }
  for (const key of context.keys(`shares/${id}/`)) if (!keys.includes(key)) context.remove(key);
}

/** Notes how far slots have closed, and forgets energies that are not corrected any more. */
function noteClosed(context: Context, { start_s, length_s }: Slot): void {
  const [before] = (context.get("closed/slot") ?? [start_s - length_s]) as readonly number[];
  context.put("closed/slot", [start_s, length_s]);
  const kept = length_s * Number(context.parameters.kept_slots ?? KEPT_SLOTS);
  const least = start_s - length_s * FORGOTTEN_MAX;
  for (let start = start_s; start > Math.max(before!, least); start -= length_s) {
    for (const key of context.keys("community/")) {
      const old = energyKey(key.slice("community/".length), start - kept);
      if (context.get(old) !== undefined) context.remove(old);
    }
  }
}

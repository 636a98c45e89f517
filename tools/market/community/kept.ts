// What the community contract keeps in its state: keys, shapes, and how they are read. Nothing that is kept changes what holds for
// slots that are closed: terms, owners and members begin and end at dates, none before the block that takes them.

import type { Context, Value } from "../../contracts/author.js";
import { granted } from "../asked.js";
import type { Rounding, SharingModel } from "../sharing.js";

export const writes = [
  "community/",
  "point/",
  "invited/",
  "member/",
  "gathered/",
  "energy/",
  "shares/",
  "account/",
  "head/",
  "adjusted/",
  "run/",
  "closed/",
  "stated/",
  "due/",
];

/** Rules of sharing and prices from a moment on. Money is in 10^-5 of the currency's unit. */
export type Terms = {
  readonly from: number;
  readonly model: SharingModel;
  readonly rounding: Rounding;
  /** for a kWh that a consumer is covered with */
  readonly price: number;
  /** for a kWh that a producer gives to the community */
  readonly feed: number;
  /** of each point, for each period */
  readonly fee: number;
};

export type Community = {
  /** participant's ID */
  readonly manager: string;
  readonly name: string;
  /** begins of the periods that are billed, ascending */
  readonly begins: readonly number[];
  readonly terms: readonly Terms[];
  /** memberships so far, those that ended too */
  readonly members: number;
};

/**
 * A point in a community from a moment on, before another one; null: it has no end. The factor is the part of its energies, in 10,000.
 * The key is its part of 10,000, or its rank.
 */
export type Member = readonly [
  point: string,
  owner: string,
  factor: number,
  key: number,
  from: number,
  until: number | null,
];

/** A point's part in one community, as its member has it. */
export type Part = readonly [community: string, number: number, factor: number, from: number, until: number | null];

export type Point = {
  /** who has stated its owners: nobody else may */
  readonly by: string;
  /** from when on it is whose, ascending */
  readonly owners: readonly (readonly [participant: string, from: number])[];
  readonly parts: readonly Part[];
};

export type Invitation = readonly [factor: number, key: number, from: number | null];

/** A member's energies in a slot, by its number; mWh, null where unknown. */
export type Energy = readonly [number: number, taken: Value, given: Value, quality: number];
export type Energies = { readonly revision: number; readonly rows: readonly Energy[] };

/** Of a member: mWh, and the worse of its energies' qualities. Where an energy is unknown (quality 3), it counts as 0. */
export type ShareRow = readonly [
  point: string,
  consumed: Value,
  offered: Value,
  covered: Value,
  produced: Value,
  surplus: Value,
  quality: number,
];

/** Members' rows that stand under one key. */
export const ROWS_TOGETHER = 80;
export const COMMUNITIES_MAX = 16;
/** Those of one manager, where no parameter says otherwise. */
export const MANAGED_MAX = 2;
/** Invitations of a community that wait, and for how long. */
export const INVITED_MAX = 100;
export const INVITED_S = 2_592_000;
/** A community without members is let go of after so long. */
export const EMPTY_S = 7_776_000;
/** Points that one who measures states. */
export const STATED_MAX = 5_000;
/** Memberships of a community that hold at one time, and all that it ever had. */
export const POINTS_MAX = 500;
export const MEMBERS_MAX = 8_000;

export function padded(number: number, digits: number): string {
  return `${number}`.padStart(digits, "0");
}

/** Throws Denied where there is none. */
export function communityOf(context: Context, id: string): Community {
  const found = context.get(`community/${id}`);
  granted(found !== undefined, "no-community", id);
  return found as unknown as Community;
}

/** Throws Denied where nobody has stated its owner. */
export function pointOf(context: Context, id: string): Point {
  const found = context.get(`point/${id}`);
  granted(found !== undefined, "no-point", id);
  return found as unknown as Point;
}

export function ownerAt({ owners }: Point, at: number): string | undefined {
  let owner: string | undefined;
  for (const [participant, from] of owners) if (from <= at) owner = participant;
  return owner;
}

/** Whether it holds for a slot that begins then. */
export function holdsAt(from: number, until: number | null, at: number): boolean {
  return from <= at && (until === null || at < until);
}

/** The terms for a slot that begins then; undefined before the first. */
export function termsAt({ terms }: Community, at: number): number | undefined {
  let found: number | undefined;
  for (const [index, { from }] of terms.entries()) if (from <= at) found = index;
  return found;
}

/** The begin of the period that holds this moment; undefined before the first. */
export function periodAt({ begins }: Community, at: number): number | undefined {
  let found: number | undefined;
  for (const begin of begins) if (begin <= at) found = begin;
  return found;
}

export type Numbered = { readonly number: number; readonly member: Member };

/** All memberships of a community by their numbers. */
export function membersOf(context: Context, id: string): Numbered[] {
  const found: Numbered[] = [];
  for (const key of context.keys(`member/${id}/`)) {
    const first = ROWS_TOGETHER * Number(key.slice(`member/${id}/`.length));
    for (const [index, member] of (context.get(key) as unknown as readonly Member[]).entries()) {
      found.push({ number: first + index, member });
    }
  }
  return found;
}

/** Sets the member with this number, which may be the next one. */
export function putMember(context: Context, id: string, { number, member }: Numbered): void {
  const key = memberKey(id, number);
  const rows = [...((context.get(key) ?? []) as unknown as readonly Member[])];
  rows[number % ROWS_TOGETHER] = member;
  context.put(key, rows);
}

export function memberAt(context: Context, id: string, number: number): Member {
  return (context.get(memberKey(id, number)) as unknown as readonly Member[])[number % ROWS_TOGETHER]!;
}

function memberKey(id: string, number: number): string {
  return `member/${id}/${padded(Math.floor(number / ROWS_TOGETHER), 3)}`;
}

// Grants of sums over a group. What nodes compute by stands in the grant, as the parameters are when it is given.

import type { Context } from "../../contracts/author.js";
import { type GroupKind, groupRule } from "./groups.js";
import { listAt, numberSet, type Row } from "./kept.js";
import { DAY_S, GRANT_DAYS_DEFAULT, GROUP_LATENESS_S_DEFAULT, GROUP_SLOT_S_DEFAULT } from "./types.js";

/** UTC seconds until which a grant holds whose period ends with that day. */
export function endOfGrant(context: Context, until: number): number {
  const grant_days = numberSet(context, "grant_days", GRANT_DAYS_DEFAULT);
  return Math.max(until * DAY_S, context.time_s) + grant_days * DAY_S;
}

/** What a request is for, as its effects tell it. */
export function ofWhat({ meter, group }: Row): Row {
  return meter === undefined ? { group: group! } : { meter };
}

/** Slots by the chain's parameters; undefined where these cut no day into whole ones. */
export function slotLength(context: Context): number | undefined {
  const slot_s = numberSet(context, "group_slot_s", GROUP_SLOT_S_DEFAULT);
  return slot_s > 0 && DAY_S % slot_s === 0 ? slot_s : undefined;
}

/** Grants the sums of the period: each slot as the rule of its group lets it be given out. */
export function grantGroup(context: Context, id: string, row: Row): void {
  const slot_s = slotLength(context);
  if (slot_s === undefined) return context.deny("no-slots");
  const { requester, group, register, unit, from, until, purpose, key } = row;
  const [kind] = listAt(context, `group/${group}`);
  const rule = groupRule(context, kind as GroupKind);
  const lateness_s = numberSet(context, "group_lateness_s", GROUP_LATENESS_S_DEFAULT);
  const until_s = endOfGrant(context, Number(until));
  context.put(`request/${id}`, { ...row, state: "accepted", until_s });
  const told = { requester, group, register, unit, from, until, purpose, key, until_s };
  context.put(`grant/${id}`, { ...told, slot_s, lateness_s, ...rule } as unknown as Row);
  context.remove(`due/answer/${id}`);
  context.put(`due/end/${id}`, [until_s, id]);
  const rule_ = row.basis!;
  context.effect("decision", { id, granted: true, rule: rule_, requester: requester!, group: group!, until_s });
}

// Groups of meters, and requests for sums over them: no value of one meter is given out. A group is stated once, by an administrator, and
// stays as it is; no meter is in two: sums over groups that differ by one meter would tell its values.

import { isGroup } from "../../../src/wire/hiding.js";
import type { Context, Operation, Value } from "../../contracts/author.js";
import { breach } from "./breach.js";
import { grantGroup, slotLength } from "./group-grants.js";
import { groupKinds, groupRule } from "./groups.js";
import { count, dayIn, isHex, isId, itemsIn, listAt, numberSet, todayOf } from "./kept.js";
import { needNamed } from "./needs.js";
import { judge } from "./policy.js";
import { awaitAnswer, isDeliveryKey } from "./requests.js";
import { isAdministrator } from "./subjects.js";
import { GROUP_METERS_MAX, GROUPS_MAX, HORIZON_DAYS_DEFAULT } from "./types.js";

const NAME_MAX = 32;
const NAME_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789-";
/** Of DLMS: one byte. */
const UNIT_MAX = 255;

/** [name, kind, [+ meter]]: meters ascending, as many as the rule of the kind asks for. */
export function nameGroup(context: Context, asked: Operation): void {
  if (!isAdministrator(context, asked)) return context.deny("role");
  const [name, kind, listed] = itemsIn(asked.body, 3);
  const meters = metersIn(listed);
  const of = groupKinds.find((each) => each === kind);
  if (!isName(name) || of === undefined || meters === undefined) return context.deny("malformed");
  if (!isGroup(groupRule(context, of), meters.length)) return context.deny("group");
  const names = listAt(context, "groups").map(String);
  if (names.includes(name)) return context.deny("known-group");
  if (names.length >= GROUPS_MAX) return context.deny("too-many");
  const own = new Set(meters);
  const isInTwo = names.some((other) => metersOf(context, other).some((meter) => own.has(meter)));
  if (isInTwo) return context.deny("in-two-groups");
  context.put("groups", [...names, name]);
  context.put(`group/${name}`, [of, meters, asked.participant]);
  context.effect("group", { name, kind: of, meters: meters.length, by: asked.participant });
}

/** [need, group, register as 12 hex digits, its unit, first day, day behind the last, X25519 key as hex] */
export function requestGroup(context: Context, asked: Operation): void {
  const { participant, issued_id, seq, time_s } = asked;
  const [need, group, register, unit, from, until, key] = itemsIn(asked.body, 7);
  const [first, end] = [dayIn(from), dayIn(until)];
  const isOfDays = first !== undefined && end !== undefined && end > first;
  const isRegister = isHex(register, 12) && typeof unit === "number" && unit >= 0 && unit <= UNIT_MAX;
  if (!isName(group) || !isRegister || !isOfDays || !isDeliveryKey(key)) return context.deny("malformed");
  const stated = needNamed(context, need);
  if (stated === undefined) return context.deny("unknown-need");
  if (context.get(`group/${group}`) === undefined) return context.deny("unknown-group");
  const { purpose, most } = stated;
  const told = { need: need!, group, register, unit, purpose, from: first, until: end };
  const verdict = judge(context, asked, { purpose, days: end - first, most }, "group");
  if (verdict.type === "breach") return breach(context, asked, verdict.rule, { ...told, ...verdict.by });
  const { basis } = verdict;
  // A subject's consent opens his own meter, and never another one's.
  if (basis !== "law" && basis !== "decision") return breach(context, asked, "basis", told);
  if (end > todayOf(context) + numberSet(context, "horizon_days", HORIZON_DAYS_DEFAULT)) {
    return context.deny("too-far");
  }
  if (slotLength(context) === undefined) return context.deny("no-slots");
  const id = `${participant}-${seq}`;
  const row = { ...told, requester: participant, issued_id, key, basis, state: "sent", time_s };
  context.put(`request/${id}`, row);
  count(context, `open/${issued_id}`, 1);
  context.effect("request", { id, ...told, requester: participant, basis, state: "sent" });
  if (basis === "law") grantGroup(context, id, row);
  else awaitAnswer(context, id);
}

function metersOf(context: Context, name: string): readonly string[] {
  const [, meters] = listAt(context, `group/${name}`);
  return Array.isArray(meters) ? meters.map(String) : [];
}

/** Ascending, each once; undefined where they are anything else. */
function metersIn(listed: Value | undefined): readonly string[] | undefined {
  const meters = Array.isArray(listed) ? (listed as readonly Value[]) : [];
  if (meters.length === 0 || meters.length > GROUP_METERS_MAX || !meters.every(isId)) return undefined;
  const ids = meters as readonly string[];
  return ids.every((id, at) => at === 0 || ids[at - 1]! < id) ? ids : undefined;
}

function isName(value: Value | undefined): value is string {
  if (typeof value !== "string" || value.length === 0 || value.length > NAME_MAX) return false;
  for (const character of value) if (!NAME_CHARACTERS.includes(character)) return false;
  return true;
}

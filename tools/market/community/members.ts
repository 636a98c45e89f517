// Who a community is: founded by its manager, joined by the consent of a point's owner, left at a date. Each function checks all of
// what is asked before it writes.

import type { Context, Operation, Value } from "../../contracts/author.js";
import {
  countStated,
  fieldsOf,
  granted,
  grantedTo,
  idOf,
  listOf,
  meteringRoles,
  momentOf,
  nameOf,
  oneOf,
  plainOf,
  TIME_S_MAX,
  textOf,
  wholeOf,
} from "../asked.js";
import { grantedByLaw, wholeParameter } from "../law.js";
import {
  COMMUNITIES_MAX,
  type Community,
  communityOf,
  EMPTY_S,
  holdsAt,
  INVITED_MAX,
  INVITED_S,
  type Invitation,
  MANAGED_MAX,
  MEMBERS_MAX,
  type Member,
  memberAt,
  membersOf,
  ownerAt,
  type Part,
  POINTS_MAX,
  type Point,
  pointOf,
  putMember,
  STATED_MAX,
  type Terms,
  termsAt,
} from "./kept.js";

/** Role of a credential (PROTOCOL.md, section 5). */
const COMMUNITY_MANAGER = 3;

const PARTS = 10_000;
/** Communities that a point may be in at one time. */
const PARTS_MAX = 5;
const MONEY_MAX = 1_000_000_000_000;
/** of a kWh: a period's energies times it are an integer of the state */
const PRICE_MAX = 100_000_000;
const TERMS_MAX = 64;
const BEGINS_MAX = 200;
const OWNERS_MAX = 32;
const POINTS_TOGETHER = 50;

const models = ["proportional", "static", "redistributed", "ranked"] as const;
const roundings = ["conserving", "operator"] as const;

export function found(context: Context, operation: Operation): void {
  grantedTo(operation, [COMMUNITY_MANAGER]);
  const fields = fieldsOf(operation.body, ["community", "name", "from", ...termsFields]);
  const id = nameOf(fields.community, "community");
  const name = textOf(fields.name, "name");
  granted(context.get(`community/${id}`) === undefined, "exists", id);
  const all = context.keys("community/");
  granted(all.length < COMMUNITIES_MAX, "full", COMMUNITIES_MAX);
  const own = all.filter((key) => (context.get(key) as unknown as Community).manager === operation.participant).length;
  const most = Number(context.parameters.managed_max ?? MANAGED_MAX);
  granted(own < most, "full", most);
  const terms = termsFrom(context, fields);
  const community: Community = {
    ...{ manager: operation.participant, name, begins: [terms.from], terms: [terms], members: 0 },
  };
  context.put(`community/${id}`, community);
  context.put(`due/empty/${id}`, [context.time_s + EMPTY_S, null]);
  context.effect("founded", { community: id, ...community });
}

/** `empty/ID`: nobody has joined it. `invited/ID/POINT`: nobody has consented. */
export function expire(context: Context, key: string): void {
  const [what, id, ...rest] = key.split("/") as [string, string];
  if (what === "invited") return context.remove(`invited/${id}/${rest.join("/")}`);
  const found = context.get(`community/${id}`) as unknown as Community | undefined;
  if (found === undefined || found.members > 0) return;
  for (const prefix of [`invited/${id}/`, `due/invited/${id}/`]) {
    for (const each of context.keys(prefix)) context.remove(each);
  }
  context.remove(`community/${id}`);
  context.effect("dissolved", { community: id });
}

/** Other terms from a moment on; those that were to begin later are gone. */
export function change(context: Context, operation: Operation): void {
  const fields = fieldsOf(operation.body, ["community", "from", ...termsFields]);
  const { id, community } = managed(context, operation, fields.community);
  const terms = termsFrom(context, fields);
  const kept = community.terms.filter(({ from }) => from < terms.from);
  granted(kept.length < TERMS_MAX, "full", TERMS_MAX);
  granted(keysFit(context, id, { terms, member: undefined }), "keys", PARTS);
  context.put(`community/${id}`, { ...community, terms: [...kept, terms] });
  context.effect("terms", { community: id, ...terms });
}

/** The begins of the periods to come, each of which ends the one before it. */
export function setPeriods(context: Context, operation: Operation): void {
  const fields = fieldsOf(operation.body, ["community", "begins"]);
  const { id, community } = managed(context, operation, fields.community);
  const begins = listOf(fields.begins, BEGINS_MAX, "begins").map((begin) => momentOf(begin, context.time_s, "begins"));
  const kept = community.begins.filter((begin) => begin <= context.time_s);
  // A community that is founded for later has begun no period yet: the first one stays.
  const all = [...(kept.length === 0 ? community.begins.slice(0, 1) : kept), ...begins];
  granted(
    all.every((begin, index) => index === 0 || begin > all[index - 1]!),
    "malformed",
    "begins",
  );
  granted(all.length <= BEGINS_MAX, "full", BEGINS_MAX);
  context.put(`community/${id}`, { ...community, begins: all });
  context.effect("periods", { community: id, begins: all });
}

/** Whose points are, as who measures there says it. What an earlier owner has joined ends with the ownership. */
export function own(context: Context, operation: Operation): void {
  grantedTo(operation, meteringRoles);
  const fields = fieldsOf(operation.body, ["points"]);
  const rows = listOf(fields.points, POINTS_TOGETHER, "points").map((row) => ownerFrom(context, operation, row));
  const isOnce = new Set(rows.map(({ id }) => id)).size === rows.length;
  granted(isOnce, "malformed", "points");
  const added = rows.filter(({ id }) => context.get(`point/${id}`) === undefined).length;
  countStated(context, operation.participant, { added, most: STATED_MAX });
  for (const { id, point, owner, from } of rows) {
    const ended = endParts(context, id, { ...point, owners: [...point.owners, [owner, from]] }, from);
    context.put(`point/${id}`, ended);
  }
  context.effect("owners", { points: rows.map(({ id, owner, from }) => [id, owner, from]) });
}

function ownerFrom(context: Context, operation: Operation, row: Value) {
  const [point, participant, from_s] = listOf(row, 3, "points");
  const id = plainOf(point, "point");
  const owner = idOf(participant, "participant");
  const known = context.get(`point/${id}`) as unknown as Point | undefined;
  const begun = known?.owners.at(-1)?.[1];
  granted(known === undefined || known.by === operation.participant, "not-yours", id);
  const isFirst = begun === undefined;
  // Who owned a point before it was known here changes nothing that is shared already.
  const from =
    isFirst && typeof from_s === "number"
      ? wholeOf(from_s, [0, TIME_S_MAX], "from")
      : momentOf(from_s, context.time_s, "from");
  granted(isFirst || from > begun, "overlaps", id);
  const before: Point = known ?? { by: operation.participant, owners: [], parts: [] };
  const owners = before.owners.filter((_, index) => {
    const end = before.owners[index + 1]?.[1];
    return end === undefined || end > context.time_s - PART_KEPT_S;
  });
  granted(owners.length < OWNERS_MAX, "full", OWNERS_MAX);
  return { id, point: { ...before, owners }, owner, from };
}

/** The manager's word that a point may join, by which factor and key. Another one takes its place. */
export function invite(context: Context, operation: Operation): void {
  const fields = fieldsOf(operation.body, ["community", "point", "factor", "key", "from"]);
  const { id } = managed(context, operation, fields.community);
  const point = plainOf(fields.point, "point");
  const key = `invited/${id}/${point}`;
  const isKnown = context.get(key) !== undefined;
  granted(isKnown || context.keys(`invited/${id}/`).length < INVITED_MAX, "full", INVITED_MAX);
  const invitation: Invitation = [
    wholeOf(fields.factor ?? PARTS, [1, PARTS], "factor"),
    wholeOf(fields.key ?? 0, [0, 1_000_000], "key"),
    fields.from === undefined || fields.from === null ? null : momentOf(fields.from, context.time_s, "from"),
  ];
  context.put(key, invitation);
  context.put(`due/${key}`, [context.time_s + INVITED_S, null]);
  context.effect("invited", { community: id, point, factor: invitation[0], key: invitation[1], from: invitation[2] });
}

/** The owner's consent, which names factor and key as the invitation does: then the point is a member. */
export function consent(context: Context, operation: Operation): void {
  const fields = fieldsOf(operation.body, ["community", "point", "factor", "key"]);
  const id = nameOf(fields.community, "community");
  const community = communityOf(context, id);
  const pointId = textOf(fields.point, "point");
  const point = pointOf(context, pointId);
  const invitation = context.get(`invited/${id}/${pointId}`) as unknown as Invitation | undefined;
  granted(invitation !== undefined, "not-invited", pointId);
  const [factor, key, planned] = invitation;
  const from = planned === null || planned < context.time_s ? context.time_s : planned;
  granted(ownerAt(point, from) === operation.participant, "not-owner", pointId);
  granted((fields.factor ?? PARTS) === factor && (fields.key ?? 0) === key, "not-as-invited", [factor, key]);
  const number = community.members;
  const member: Member = [pointId, operation.participant, factor, key, from, null];
  const others = point.parts.filter(([other]) => other !== id);
  granted(factorsFit([...others, [id, number, factor, from, null]], from), "factors", PARTS);
  granted(keysFit(context, id, { terms: undefined, member }), "keys", PARTS);
  granted(roomFor(context, id, member), "full", POINTS_MAX);
  granted(number < MEMBERS_MAX, "full", MEMBERS_MAX);
  // A membership of before ends where this one begins: so factor and key change with a date.
  const ended = endParts(context, pointId, point, from, id);
  context.put(`point/${pointId}`, { ...ended, parts: [...ended.parts, [id, number, factor, from, null]] });
  putMember(context, id, { number, member });
  context.put(`community/${id}`, { ...community, members: number + 1 });
  context.remove(`invited/${id}/${pointId}`);
  context.remove(`due/invited/${id}/${pointId}`);
  context.remove(`due/empty/${id}`);
  context.effect("joined", { community: id, number, point: pointId, owner: operation.participant, factor, key, from });
}

/** The owner or the manager ends a membership at a moment. */
export function leave(context: Context, operation: Operation): void {
  const fields = fieldsOf(operation.body, ["community", "point", "from"]);
  const id = nameOf(fields.community, "community");
  const { manager } = communityOf(context, id);
  const pointId = textOf(fields.point, "point");
  const point = pointOf(context, pointId);
  const from = momentOf(fields.from, context.time_s, "from");
  const isOwner = ownerAt(point, context.time_s) === operation.participant;
  granted(isOwner || manager === operation.participant, "not-owner", pointId);
  const isMember = point.parts.some(([community, , , , until]) => community === id && (until === null || until > from));
  granted(isMember, "no-member", pointId);
  context.put(`point/${pointId}`, endParts(context, pointId, point, from, id));
  context.effect("left", { community: id, point: pointId, from });
}

/** Memberships of a point that go on beyond a moment end there, in one community or in all; parts that ended long ago are gone. */
function endParts(context: Context, pointId: string, point: Point, from: number, only?: string): Point {
  const parts = point.parts
    .filter(([, , , , until]) => until === null || until > context.time_s - PART_KEPT_S)
    .map((part): Part => {
      const [community, number, factor, begun, until] = part;
      const goesOn = until === null || until > from;
      if (!goesOn || (only !== undefined && community !== only)) return part;
      // One that has not begun never will.
      const end = Math.max(begun, from);
      const [, owner, , key] = memberAt(context, community, number);
      putMember(context, community, { number, member: [pointId, owner, factor, key, begun, end] });
      return [community, number, factor, begun, end];
    });
  return { ...point, parts };
}

/** Longer than any slot waits, or is corrected. */
const PART_KEPT_S = 8_640_000;

/** At most five communities and the whole of the point at any time from a moment on. */
function factorsFit(parts: readonly Part[], from: number): boolean {
  const moments = [from, ...parts.map(([, , , begun]) => begun).filter((begun) => begun > from)];
  return moments.every((at) => {
    const holding = parts.filter(([, , , begun, until]) => holdsAt(begun, until, at));
    const factors = holding.reduce((total, [, , factor]) => total + factor, 0);
    return holding.length <= PARTS_MAX && factors <= PARTS;
  });
}

/** Whether keys of parts are the whole at most, where the terms at the time share by parts: with other terms, or another member. */
function keysFit(
  context: Context,
  id: string,
  { terms, member }: { readonly terms: Terms | undefined; readonly member: Member | undefined },
): boolean {
  const community = communityOf(context, id);
  const from = terms?.from ?? member?.[4] ?? context.time_s;
  const list = terms === undefined ? community : { terms: [...community.terms.filter((t) => t.from < from), terms] };
  const others = membersOf(context, id).map((each) => each.member);
  const all = member === undefined ? others : [...others.filter(([point]) => point !== member[0]), member];
  const begins = [from, ...all.map(([, , , , begun]) => begun), ...list.terms.map((each) => each.from)];
  const moments = new Set(begins.filter((at) => at >= from));
  return [...moments].every((at) => {
    const index = termsAt({ ...community, ...list }, at);
    const model = index === undefined ? undefined : list.terms[index]!.model;
    if (model !== "static" && model !== "redistributed") return true;
    const holding = all.filter(([, , , , begun, until]) => holdsAt(begun, until, at));
    return holding.reduce((total, [, , , key]) => total + key, 0) <= PARTS;
  });
}

function roomFor(context: Context, id: string, [point]: Member): boolean {
  const open = membersOf(context, id).filter(
    ({ member }) => member[0] !== point && (member[5] === null || member[5] > context.time_s),
  );
  return open.length < POINTS_MAX;
}

/** The community that the signer manages. Throws Denied. */
export function managed(context: Context, operation: Operation, value: Value | undefined) {
  const id = nameOf(value, "community");
  const community = communityOf(context, id);
  granted(community.manager === operation.participant, "not-manager", id);
  return { id, community };
}

const termsFields = ["model", "rounding", "price", "feed", "fee"];

function termsFrom(context: Context, fields: { readonly [name: string]: Value }): Terms {
  const model = oneOf(fields.model, models, "model");
  const rounding = oneOf(fields.rounding ?? "conserving", roundings, "rounding");
  const isFit = rounding === "conserving" || model === "proportional" || model === "static";
  granted(isFit, "malformed", "rounding");
  const money = (field: string, most: number) => wholeOf(fields[field] ?? 0, [0, most], field);
  const terms = { price: money("price", PRICE_MAX), feed: money("feed", PRICE_MAX), fee: money("fee", MONEY_MAX) };
  const highest = wholeParameter(context, "price_max", PRICE_MAX);
  grantedByLaw(context, terms.price <= highest, "price_max", highest);
  return { from: momentOf(fields.from, context.time_s, "from"), model, rounding, ...terms };
}

// Whose points are, as who measures there says it: each belongs to one participant, who may bid with it.

import type { Context, Operation } from "../../contracts/author.js";
import { countStated, fieldsOf, granted, grantedTo, idOf, listOf, meteringRoles, plainOf } from "../asked.js";

const POINTS_TOGETHER = 50;
/** Points of one participant. */
const POINTS_MAX = 60;
/** Points that one who measures states. */
const STATED_MAX = 5_000;

/** Null in the place of a participant: the point is nobody's any more. */
export function own(context: Context, operation: Operation): void {
  grantedTo(operation, meteringRoles);
  const rows = listOf(fieldsOf(operation.body, ["points"]).points, POINTS_TOGETHER, "points").map((row) => {
    const [point, participant] = listOf(row, 2, "points");
    const id = plainOf(point, "point");
    const [by] = (context.get(`point/${id}`) ?? [operation.participant]) as readonly string[];
    granted(by === operation.participant, "not-yours", id);
    return { id, owner: participant === null ? null : idOf(participant, "participant") };
  });
  granted(new Set(rows.map(({ id }) => id)).size === rows.length, "malformed", "points");
  const counts = new Map<string, number>();
  for (const { owner } of rows) {
    if (owner !== null) counts.set(owner, (counts.get(owner) ?? pointsOf(context, owner).length) + 1);
  }
  for (const [owner, count] of counts) granted(count <= POINTS_MAX, "full", owner);
  const known = rows.filter(({ id }) => context.get(`point/${id}`) !== undefined);
  const added = rows.filter(({ owner }) => owner !== null).length - known.length;
  countStated(context, operation.participant, { added, most: STATED_MAX });
  for (const { id, owner } of rows) {
    const [, before] = (context.get(`point/${id}`) ?? []) as readonly string[];
    if (before !== undefined)
      putPoints(
        context,
        before,
        pointsOf(context, before).filter((each) => each !== id),
      );
    if (owner === null) {
      if (before !== undefined) context.remove(`point/${id}`);
      continue;
    }
    context.put(`point/${id}`, [operation.participant, owner]);
    putPoints(context, owner, [...pointsOf(context, owner), id]);
  }
  const said = rows.map(({ id, owner }) => [id, owner]);
  context.effect("points", said);
}

export function pointsOf(context: Context, participant: string): readonly string[] {
  return (context.get(`points/${participant}`) ?? []) as unknown as readonly string[];
}

function putPoints(context: Context, participant: string, points: readonly string[]): void {
  if (points.length > 0) context.put(`points/${participant}`, points);
  else context.remove(`points/${participant}`);
}

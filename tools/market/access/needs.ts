// Needs: what somebody wants data for, published once, named by who says it and the operation's number.

import type { Context, Operation, Value } from "../../contracts/author.js";
import { count, countAt, isCount, itemsIn, listAt, numberSet, textIn } from "./kept.js";
import { DAY_MAX, NEEDS_DEFAULT, PURPOSE_MAX } from "./types.js";

/** [purpose, longest period in days, text] */
export function publishNeed(context: Context, { participant, issued_id, seq, body }: Operation): void {
  const [purpose, days, text] = itemsIn(body, 3);
  const said = textIn(text ?? null);
  const isSound = isCount(purpose, PURPOSE_MAX) && isCount(days, DAY_MAX) && said !== undefined;
  if (!isSound) return context.deny("malformed");
  if (countAt(context, `needs/${issued_id}`) >= numberSet(context, "needs", NEEDS_DEFAULT)) {
    return context.deny("too-many");
  }
  const id = `${participant}-${seq}`;
  context.put(`need/${id}`, [purpose!, days!, said, issued_id]);
  count(context, `needs/${issued_id}`, 1);
  context.effect("need", [id, purpose!, days!, said]);
}

/** What the need is for, and the longest period that it states in days; undefined where there is none of that name. */
export function needNamed(context: Context, name: Value | undefined): { purpose: number; most: number } | undefined {
  const [purpose, days] = listAt(context, `need/${textIn(name ?? null)}`);
  return purpose === undefined ? undefined : { purpose: Number(purpose), most: Number(days) };
}

/** Takes a need of one's own back, by any of its keys: nothing is asked for it any more. False where the operation names none. */
export function takeNeedBack(context: Context, { issued_id, body }: Operation): boolean {
  const [named] = itemsIn(body, 1);
  const id = textIn(named ?? null) ?? "";
  const [, , , by] = listAt(context, `need/${id}`);
  if (by !== issued_id) return false;
  context.remove(`need/${id}`);
  count(context, `needs/${issued_id}`, -1);
  context.effect("need-withdrawn", id);
  return true;
}

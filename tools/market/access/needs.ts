// Needs: what somebody wants data for, published once, named by who says it and the operation's number.

import type { Context, Operation } from "../../contracts/author.js";
import { count, countAt, isCount, itemsIn, numberSet, textIn } from "./kept.js";
import { DAY_MAX, NEEDS_DEFAULT, PURPOSE_MAX } from "./types.js";

/** [purpose, longest period in days, text] */
export function publishNeed(context: Context, { participant, seq, body }: Operation): void {
  const [purpose, days, text] = itemsIn(body, 3);
  const said = textIn(text ?? null);
  const isSound = isCount(purpose, PURPOSE_MAX) && isCount(days, DAY_MAX) && said !== undefined;
  if (!isSound) return context.deny("malformed");
  if (countAt(context, `needs/${participant}`) >= numberSet(context, "needs", NEEDS_DEFAULT)) {
    return context.deny("too-many");
  }
  const id = `${participant}-${seq}`;
  context.put(`need/${id}`, [purpose!, days!, said]);
  count(context, `needs/${participant}`, 1);
  context.effect("need", [id, purpose!, days!, said]);
}

/** Takes a need of one's own back: nothing is asked for it any more. False where the operation names none. */
export function takeNeedBack(context: Context, { participant, body }: Operation): boolean {
  const [named] = itemsIn(body, 1);
  const id = textIn(named ?? null) ?? "";
  if (!id.startsWith(`${participant}-`) || context.get(`need/${id}`) === undefined) return false;
  context.remove(`need/${id}`);
  count(context, `needs/${participant}`, -1);
  context.effect("need-withdrawn", id);
  return true;
}

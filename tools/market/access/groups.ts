// How many meters a group must have before a sum over it tells nothing of one of them. Third parties get sums of such groups alone. The
// numbers are the rules that data portals of utilities have: 15/15 for businesses, 100 for households. A chain's parameters state others.

import type { GroupRule } from "../../../src/wire/hiding.js";
import type { Context } from "../../contracts/author.js";
import { numberSet } from "./kept.js";

/** Whose meters they are: a group is of one kind. */
export const groupKinds = ["residential", "non-residential"] as const;
export type GroupKind = (typeof groupKinds)[number];

/** Meters that a group of households, and one of others, has at least. */
export const GROUP_RESIDENTIAL_DEFAULT = 100;
export const GROUP_NONRESIDENTIAL_DEFAULT = 15;
/** Percent of the sum that one meter of such another group may have at most. */
export const GROUP_SHARE_DEFAULT = 15;

/** Parameters `group_residential`, `group_nonresidential` and `group_share`, the last in percent. */
export function groupRule({ parameters }: Pick<Context, "parameters">, kind: GroupKind): GroupRule {
  if (kind === "residential") {
    const meters_min = numberSet({ parameters }, "group_residential", GROUP_RESIDENTIAL_DEFAULT);
    return { meters_min, share_percent_max: 100 };
  }
  return {
    meters_min: numberSet({ parameters }, "group_nonresidential", GROUP_NONRESIDENTIAL_DEFAULT),
    share_percent_max: numberSet({ parameters }, "group_share", GROUP_SHARE_DEFAULT),
  };
}

// What a rating comes to: limit, bond, rebate and lists. A household is rewarded alone: its bond is never above the usual one, its limit
// never below, and it stands on no list.

import type { Listed, Standing, Subject } from "./kinds.js";
import type { Rating } from "./rating.js";
import type { Rules } from "./rules.js";

const YEAR_S = 31_557_600;

/** The same object where nothing changes. */
export function listFor(
  { kind, listed }: Subject,
  { score }: Rating,
  { rules, time_s }: { readonly rules: Rules; readonly time_s: number },
): Listed | null {
  if (kind === "household") return null;
  const isLow = score < rules.attention_below;
  if (listed?.list === "black" && listed.mended_s === null) return listed;
  const isMended = listed !== null && listed.mended_s !== null;
  if (isMended && time_s - listed.mended_s! < rules.mend_days * 86_400) return listed;
  const isOpen = listed !== null && listed.mended_s === null;
  if (isOpen && !isLow) return { ...listed, mended_s: time_s };
  if (isOpen && time_s > listed.until_s!) return { list: "black", since_s: time_s, until_s: null, mended_s: null };
  if (!isLow || isOpen) return listed;
  if (listed !== null && time_s - listed.since_s < YEAR_S) {
    return { list: "black", since_s: time_s, until_s: null, mended_s: null };
  }
  return { list: "attention", since_s: time_s, until_s: time_s + rules.mend_days * 86_400, mended_s: null };
}

export function rewardsOf({ kind, listed }: Subject, { score, grade }: Rating, rules: Rules): Standing {
  const stated = rules[`bond_${grade}`];
  const bond_percent = kind === "household" ? Math.min(stated, 100) : stated;
  const list = listed === null || listed.mended_s !== null ? "none" : listed.list;
  const isOut = kind === "firm" && score < rules.leave_below;
  const limit = bond_percent === 0 ? rules.limit_usual : Math.floor((rules.limit_usual * 100) / bond_percent);
  return {
    ...{ grade, bond_percent, list, limit: list === "black" || isOut ? 0 : limit },
    rebate_permille: score >= rules.rebate_from ? rules.rebate_permille : 0,
  };
}

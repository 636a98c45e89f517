// Load curve: mean power by quarter of an hour of the UTC day. Duration curve: how much of the time the group's power is above what.

import { type Study, seriesOfMembers } from "./study-input.js";
import { DAY_S, power_mW, startOf, takenTotals } from "./whole.js";

const QUARTER_S = 900;
const QUARTERS = DAY_S / QUARTER_S;
/** Of time, in steps of five per cent. */
const STEPS = 20;

export const loadCurve: Study = (input) => {
  const { series } = input;
  const members = seriesOfMembers(input);
  const all = Array.from({ length: QUARTERS }, () => ({ energy: 0n, slots: 0, members: new Set<number>() }));
  for (const [member, { taken }] of members.entries()) {
    for (const [at, energy] of taken.entries()) {
      if (energy === null) continue;
      const quarter = all[Math.floor((startOf(series, at) % DAY_S) / QUARTER_S)]!;
      quarter.energy += BigInt(energy);
      quarter.slots += 1;
      quarter.members.add(member);
    }
  }
  // A quarter of which too few members are known would tell of them.
  const isShown = ({ members: own }: { readonly members: ReadonlySet<number> }) =>
    input.audience === "members" || own.size === 0 || own.size >= input.least;
  const sums = all.map((quarter) => (isShown(quarter) ? quarter : { energy: 0n, slots: 0 }));
  const totals = takenTotals(members, series.count).filter((total) => total !== null);
  const sorted = [...totals].sort((one, other) => (one < other ? 1 : one > other ? -1 : 0));
  const last = sorted.length - 1;
  return {
    energy_mWh: sums.reduce((sum, { energy }) => sum + energy, 0n),
    member_slots: sums.reduce((sum, { slots }) => sum + slots, 0),
    hidden_quarters: all.filter((quarter) => !isShown(quarter)).length,
    // By quarter: mWh of all members, slots that they are of, mean power of a member.
    curve: sums.map(({ energy, slots }) => [
      energy,
      slots,
      slots === 0 ? null : power_mW(energy, slots * series.slot_s),
    ]),
    whole_slots: sorted.length,
    slots: series.count,
    // mW of the whole group that is reached during 0, 5, ... 100 per cent of the whole slots.
    duration_mW:
      last < 0
        ? []
        : Array.from({ length: STEPS + 1 }, (_, step) =>
            power_mW(sorted[Math.floor((last * step) / STEPS)]!, series.slot_s),
          ),
  };
};

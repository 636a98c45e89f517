// Loss of a feeder: what its meter measures, less what its members take and feed in. It needs no learning, and proves what is missing.

import { GridsealError } from "../../errors.js";
import { type Study, seriesOfMembers } from "./study-input.js";
import { dayAt, netTotals } from "./whole.js";

interface Balance {
  slots: number;
  feeder: bigint;
  members: bigint;
}

export const feederLoss: Study = (input) => {
  const { series, feeder } = input;
  if (feeder === undefined)
    throw new GridsealError("USAGE", "feeder-loss needs `feeder`, a meter that the export has readings of");
  const above = netTotals([feeder], series.count);
  const below = netTotals(seriesOfMembers(input), series.count);
  const all: Balance = { slots: 0, feeder: 0n, members: 0n };
  const days = new Map<number, Balance>();
  for (let at = 0; at < series.count; at += 1) {
    const [whole, sum] = [above[at]!, below[at]!];
    if (whole === null || sum === null) continue;
    const day = days.get(dayAt(series, at)) ?? { slots: 0, feeder: 0n, members: 0n };
    days.set(dayAt(series, at), day);
    for (const balance of [all, day]) {
      balance.slots += 1;
      balance.feeder += whole;
      balance.members += sum;
    }
  }
  return {
    slots: series.count,
    // Members without any data: what they take looks like a loss.
    silent_members: input.silent,
    whole_slots: all.slots,
    ...balanceOf(all),
    // By UTC day since 1970: slots compared, mWh of the feeder, of the members, lost.
    days: [...days].map(([day, balance]) => [
      ...[day, balance.slots, balance.feeder, balance.members],
      balance.feeder - balance.members,
    ]),
  };
};

function balanceOf({ feeder, members }: Balance) {
  const loss = feeder - members;
  return {
    feeder_mWh: feeder,
    members_mWh: members,
    loss_mWh: loss,
    loss_permille: feeder === 0n ? null : (1_000n * loss) / feeder,
  };
}

// Data quality league: of how many of its slots a member's energy was read, interpolated, or is missing.

import type { SlotQuality } from "../../ledger/slot-energy.js";
import type { Study } from "./study-input.js";

/** Bands of good slots in per mille: 0 to 99, ... 900 to 999, and all of them. */
const BANDS = 11;

interface Place {
  readonly meter: string;
  readonly read: number;
  readonly interpolated: number;
  readonly missing: number;
  readonly good_permille: number;
}

export const quality: Study = ({ series, members, silent, audience }) => {
  const places = members.map((meter) => placeOf(meter, series.meters.get(meter)!.quality));
  const sum = (name: "read" | "interpolated" | "missing") => places.reduce((all, place) => all + place[name], 0);
  const bands = Array.from({ length: BANDS }, () => 0);
  for (const { good_permille } of places) bands[Math.floor(good_permille / 100)]! += 1;
  const figures = {
    silent_members: silent,
    ...{ slots: series.count, read: sum("read"), interpolated: sum("interpolated"), missing: sum("missing") },
    // Members by the part of their slots that has an energy, in steps of a tenth.
    bands,
  };
  if (audience === "aggregate") return figures;
  const league = [...places].sort(
    (one, other) => one.good_permille - other.good_permille || (one.meter < other.meter ? -1 : 1),
  );
  return {
    ...figures,
    // The worst first: meter, slots read, interpolated, missing, per mille with an energy.
    league: league.map(({ meter, read, interpolated, missing, good_permille }) => [
      ...[meter, read, interpolated, missing, good_permille],
    ]),
  };
};

function placeOf(meter: string, qualities: readonly SlotQuality[]): Place {
  const count = (wanted: SlotQuality) => qualities.filter((each) => each === wanted).length;
  const [read, interpolated, missing] = [count(1), count(2), count(3)];
  const all = qualities.length;
  return {
    meter,
    read,
    interpolated,
    missing,
    good_permille: all === 0 ? 0 : Math.floor((1_000 * (all - missing)) / all),
  };
}

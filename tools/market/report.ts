// A grid operator's allocation report, slot by slot: its shares are computed again, from signed readings where there are any, else from
// the consumption that it states itself, and each figure that differs is named.

import { type Rounding, type SharingModel, sharesOf } from "./sharing.js";

/** By which rule a report shares. */
export interface SharingRule {
  readonly model: SharingModel;
  readonly rounding: Rounding;
  /** by consumer */
  readonly key?: readonly bigint[];
}

/** What a report states of one slot, in mWh; undefined where it states nothing. */
export interface ReportedSlot {
  readonly consumed: readonly Energy[];
  readonly offered: readonly Energy[];
  readonly covered: readonly Energy[];
  readonly produced: readonly Energy[];
  readonly surplus: readonly Energy[];
}

/** What signed readings give; undefined where there are none, or none that reach over the slot. */
export type MeasuredSlot = Pick<ReportedSlot, "consumed" | "produced">;

type Energy = bigint | undefined;

/** Figures of a report, in the order in which they follow from one another. */
export const figures = ["consumed", "produced", "offered", "covered", "surplus"] as const;
export type Figure = (typeof figures)[number];

/** One figure as it stands in the report and as it must be. */
export interface Compared {
  readonly figure: Figure;
  /** which consumer or producer */
  readonly index: number;
  readonly reported: bigint;
  readonly computed: bigint;
}

export interface SlotComparison {
  readonly compared: readonly Compared[];
  /** whether shares could be computed: the energy of each participant is known */
  readonly isComplete: boolean;
}

/** Compares what a report states of a slot with what its rule makes of the slot's energies. */
export function compareSlot(rule: SharingRule, reported: ReportedSlot, measured: MeasuredSlot): SlotComparison {
  const compared: Compared[] = [];
  const compare = (figure: Figure, computed: readonly Energy[]) => {
    for (const [index, stated] of reported[figure].entries()) {
      const own = computed[index];
      if (stated !== undefined && own !== undefined) compared.push({ figure, index, reported: stated, computed: own });
    }
  };
  compare("consumed", measured.consumed);
  compare("produced", measured.produced);
  const consumed = known(measured.consumed, reported.consumed);
  const produced = known(measured.produced, reported.produced);
  if (consumed === undefined || produced === undefined) return { compared, isComplete: false };
  const shares = sharesOf({ ...rule, consumed, produced });
  compare("offered", shares.offered);
  compare("covered", shares.covered);
  compare("surplus", shares.surplus);
  return { compared, isComplete: true };
}

/** What is measured before what is reported; undefined where neither is known of one. */
function known(measured: readonly Energy[], reported: readonly Energy[]): readonly bigint[] | undefined {
  const energies: bigint[] = [];
  for (const [index, stated] of reported.entries()) {
    const energy = measured[index] ?? stated;
    if (energy === undefined || energy < 0n) return undefined;
    energies.push(energy);
  }
  return energies;
}

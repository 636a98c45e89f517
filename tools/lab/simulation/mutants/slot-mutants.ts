// Rules of settlement taken away, one at a time: when slots close, which energies they have, what contracts are shown.

import type { Mutant } from "./mutant.js";
import { edit } from "./mutant.js";
import { settled, settledSlowly } from "./ordeals.js";

const settle = "tools/ledger/settlement/settle.ts";
const needs = settled;

export const slotMutants: readonly Mutant[] = [
  {
    name: "closes-early",
    lacks: "a slot waits for meters whose readings do not reach beyond it",
    edits: [
      edit(settle, "(past_s >= 0 && beyond > 0 && awaited === 0)", "(past_s >= 0 && beyond > 0 && awaited < 1_000)"),
    ],
    needs,
  },
  {
    name: "closes-again",
    lacks: "a slot closes once",
    edits: [
      edit(
        settle,
        "run.open_s = rows.length > 0 ? open_s + slot_s :",
        "run.open_s = rows.length > 0 ? open_s + (run.closed.length > 0 ? slot_s : 0) :",
      ),
    ],
    needs,
  },
  {
    name: "wrong-last-digit",
    lacks: "what is interpolated is rounded down",
    edits: [
      edit(
        "tools/ledger/slot-energy.ts",
        "((after.counter - before.counter) * passed) / BigInt(after.time_s - before.time_s)",
        "((after.counter - before.counter) * passed + passed) / BigInt(after.time_s - before.time_s)",
      ),
    ],
    needs,
  },
  {
    name: "counts-twice",
    lacks: "the register of all tariffs counts alone",
    edits: [
      edit(
        "tools/ledger/settlement/counters-read.ts",
        "if (tariff === 0) return readingAt(time_s - (register.age ?? 0), { counter, seq, codes: 0, doubts });",
        "if (tariff === 0) sum = (sum ?? 0n) + counter;\n    if (tariff === 0) continue;",
      ),
    ],
    needs,
  },
  {
    name: "corrects-closed-slots",
    lacks: "a reading of a closed slot changes nothing of where that ended",
    edits: [
      edit(
        "tools/ledger/settlement/meter-counters.ts",
        "if (reading.time_s < open_s && edge !== undefined) return track;",
        "if (reading.time_s < open_s && edge !== undefined) return { readings, edge: { ...edge, counter: reading.counter } };",
      ),
    ],
    needs,
  },
  {
    name: "assigns-beforehand",
    lacks: "an assignment counts from the contracts height that a block is judged at",
    edits: [
      edit(
        "tools/ledger/assignments.ts",
        "filter(({ contractsHeight }) => contractsHeight <= judgedAt) ?? []",
        "filter(({ contractsHeight }) => contractsHeight <= judgedAt + 2) ?? []",
      ),
    ],
    needs,
  },
  {
    name: "assigns-whole-slots",
    lacks: "an assignment that begins or ends within a slot counts for its part alone",
    edits: [
      edit(
        "tools/ledger/settlement/point-rows.ts",
        "const from_s = Math.max(open_s, assignment.from_s);",
        "const from_s = Math.max(open_s, Math.min(open_s, assignment.from_s));",
      ),
    ],
    needs,
  },
  {
    name: "drops-doubts",
    lacks: "a row has the doubts that were sealed with the readings at its ends",
    edits: [
      edit(
        "tools/ledger/settlement/point-rows.ts",
        "const doubts = (imported?.doubts ?? 0) | (exported?.doubts ?? 0);",
        "const doubts = 0;",
      ),
    ],
    needs,
  },
  {
    name: "replays-all-rows",
    lacks: "whoever replays a block shows as many rows of slots as the block says that there was room for",
    edits: [
      edit(
        "tools/ledger/replay.ts",
        'slots: within(counted("slot"), SLOT_RUNS_MAX)',
        'slots: within(counted("slot") + SLOT_RUNS_MAX, SLOT_RUNS_MAX)',
      ),
    ],
    needs: settledSlowly,
  },
  {
    name: "forgets-rows-left",
    lacks: "rows of a closed slot for which a block had no room are shown by the next one",
    edits: [edit(settle, "run.showing = { slot, shown, behind: to.at(-1) ?? behind };", "run.showing = undefined;")],
    needs: settledSlowly,
  },
];

// Rules about numbers and failures taken away, one at a time: bounds of the wire, what an exception of a peer's making does, and what a
// write leaves that fails while it is filled.

import type { Mutant } from "./mutant.js";
import { edit } from "./mutant.js";
import { attacked, recalled } from "./ordeals.js";

const bounds = "src/wire/bounds.ts";
const numberUnbound = edit(bounds, "BATCH_NUMBER_MAX = 2 ** 48 - 1;", "BATCH_NUMBER_MAX = 2 ** 53 - 1;");
const heightUnbound = edit(bounds, "HEIGHT_MAX = 2 ** 40 - 2;", "HEIGHT_MAX = 2 ** 53 - 2;");
const boastful = { ...attacked, chains: 2, behaviours: ["exaggerate"], meters: 4, recordsPerMeter: 12 } as const;

export const boundMutants: readonly Mutant[] = [
  {
    name: "no-bound",
    lacks: "a temporary block's number has a bound below what the next one can be",
    edits: [numberUnbound],
    needs: boastful,
  },
  {
    name: "fatal-judging",
    lacks: "an exception while judging speaks against the proposal, not for the end of the node",
    edits: [
      heightUnbound,
      edit(
        "tools/node/chain/blocks/proposals.ts",
        "if (error instanceof GridsealError) throw error;\n      const isMalformed",
        "if (error !== undefined) throw error;\n      const isMalformed",
      ),
    ],
    needs: boastful,
  },
  {
    name: "half-write",
    lacks: "a write that fails while it is filled leaves nothing behind",
    edits: [
      numberUnbound,
      edit("tools/node/store/writer.ts", "  fill(noted);\n", "  try {\n    fill(noted);\n  } catch {}\n"),
    ],
    needs: boastful,
  },
  {
    name: "holds-all-repeats",
    lacks: "of what is sealed already a node holds little of each origin",
    edits: [
      edit(
        "tools/node/chain/batches/pool.ts",
        "return !isSpent || held.spentRecords + records.length <= SPENT_RECORDS_PER_ORIGIN_MAX;",
        "return true;",
      ),
    ],
    needs: recalled,
  },
];

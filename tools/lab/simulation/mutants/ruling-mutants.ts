// Rules about what the authority orders of meters taken away, one at a time, and the one that orders have all their signatures.

import type { Mutant } from "./mutant.js";
import { edit } from "./mutant.js";
import { joint, ruled } from "./ordeals.js";

const governance = "tools/ledger/governance.ts";

export const rulingMutants: readonly Mutant[] = [
  {
    name: "skips-suspension",
    lacks: "no record of a suspended meter is sealed",
    edits: [
      edit(
        governance,
        'if (ruling.standing !== "ended") return ruling.standing;',
        'if (ruling.standing !== "ended") return "good";',
      ),
    ],
    needs: ruled,
  },
  {
    name: "resumes-too-early",
    lacks: "a suspended meter stays so until an order resumes it",
    edits: [
      edit(
        governance,
        'if (ruling.standing !== "ended") return ruling.standing;',
        'if (ruling.standing !== "ended") return judgedAt > ruling.contractsHeight ? "good" : ruling.standing;',
      ),
    ],
    needs: ruled,
  },
  {
    name: "never-resumes",
    lacks: "a meter that is resumed goes on where it stopped",
    edits: [
      edit(
        governance,
        "const ruling = rulings.get(meter)?.findLast(({ contractsHeight }) => contractsHeight <= judgedAt);",
        'const ruling = rulings.get(meter)?.findLast(({ contractsHeight, standing }) => standing !== "good" && contractsHeight <= judgedAt);',
      ),
    ],
    needs: ruled,
  },
  {
    name: "ignores-end",
    lacks: "no record is sealed from a meter's end on",
    edits: [
      edit(
        governance,
        'return seq < (ruling.ends.get(service) ?? 0) ? "good" : "ended";',
        'return seq >= 0 && service > 0 ? "good" : "ended";',
      ),
    ],
    needs: ruled,
  },
  {
    name: "ends-all",
    lacks: "what a meter has signed before its end is sealed",
    edits: [
      edit(
        governance,
        'return seq < (ruling.ends.get(service) ?? 0) ? "good" : "ended";',
        'return seq < (ruling.ends.get(service) ?? 0) - 2 ? "good" : "ended";',
      ),
    ],
    needs: ruled,
  },
  {
    name: "counts-one-signature",
    lacks: "an order has the signatures of as many keys as the genesis asks for",
    edits: [edit("src/wire/founding-order.ts", "if (signed !== needed)", "if (signed < 1 || needed < 1)")],
    needs: joint,
  },
];

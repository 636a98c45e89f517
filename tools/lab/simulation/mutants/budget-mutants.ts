// Rules about what a peer may cost taken away, one at a time.

import type { Mutant } from "./mutant.js";
import { edit } from "./mutant.js";
import { drowned, rehashed, repeated } from "./ordeals.js";

const budget = "tools/node/network/budget.ts";

export const budgetMutants: readonly Mutant[] = [
  {
    name: "no-peer-budget",
    lacks: "who wastes a node's work is kept out",
    edits: [edit(budget, "if (account.waste_ms < 0) return shut", "if (Number.isNaN(account.waste_ms)) return shut")],
    needs: drowned,
  },
  {
    name: "waste-uncounted",
    lacks: "signatures that fail and frames that are dropped are waste",
    edits: [
      {
        file: budget,
        replaced: [
          ["failure: { work_ms: 0.4, waste_ms: 0.1 }", "failure: { work_ms: 0.4, waste_ms: 0 }"],
          ["refused: { work_ms: 1.2e-3, waste_ms: 3e-4 }", "refused: { work_ms: 1.2e-3, waste_ms: 0 }"],
        ],
      },
    ],
    needs: drowned,
  },
  {
    name: "repeats-free",
    lacks: "what of a temporary block is sealed already is paid for, record by record",
    edits: [edit(budget, "repeat: { work_ms: 0.05, waste_ms: 0 }", "repeat: { work_ms: 0, waste_ms: 0 }")],
    needs: rehashed,
  },
  {
    name: "shut-for-ever",
    lacks: "who was kept out is let in when its time is over",
    edits: [edit(budget, "now_ms < (accounts.get(peer)?.until_ms", "now_ms > 0 && 0 < (accounts.get(peer)?.until_ms")],
    needs: drowned,
  },
  {
    name: "untimely-is-waste",
    lacks: "what an honest node may send at the wrong time is no waste",
    edits: [
      edit(
        "tools/node/network/chain-links.ts",
        'error.code === "untimely" ? "unwanted" : "refused"',
        'error.code === "limit" ? "unwanted" : "refused"',
      ),
    ],
    needs: { ...repeated, fault: "wiped", faulty: 1, meters: 4, recordsPerMeter: 30 },
  },
];

// Rules of who verifies temporary blocks taken away, one at a time.

import type { Mutant } from "./mutant.js";
import { edit } from "./mutant.js";
import { perjured, shirked } from "./ordeals.js";

const members = "tools/ledger/members.ts";
const pool = "tools/node/chain/batches/pool.ts";
const acceptances = "tools/node/chain/batches/exchange/acceptances.ts";
const duty = "tools/node/chain/batches/exchange/duty.ts";
const examination = "tools/node/chain/batches/exchange/examination.ts";

export const verifierMutants: readonly Mutant[] = [
  {
    name: "counts-stored-as-verified",
    lacks: "who has only stored a temporary block has not verified it",
    edits: [edit(members, "verifiedNeeded: Math.min(verifiers, quorum(members.length)),", "verifiedNeeded: 0,")],
    needs: perjured,
  },
  {
    name: "duty-by-who-asks",
    lacks: "what counts is who has verified, and not who was on duty",
    edits: [
      edit(
        pool,
        "for (const { verified } of entry.acknowledgements.values()) if (verified) count += 1;",
        "for (const node of entry.acknowledgements.keys()) if (node === toHex(entry.name.origin)) count += members.verifiers;",
      ),
      edit(acceptances, "if (verified < pool.members.verifiedNeeded) return false;", "if (verified < 0) return false;"),
      edit(members, "if (verified < set.verifiedNeeded) {", "if (verified < 0) {"),
    ],
    needs: perjured,
  },
  {
    name: "no-take-over",
    lacks: "others verify what those on duty do not",
    edits: [
      edit(
        duty,
        'if (due_ms <= now_ms) effects.push(...examine(state, read, "duty"));',
        "if (due_ms <= now_ms) continue;",
      ),
      edit(examination, "if (state.lateRuns) return [];", "if (state.lateRuns || late.size > 0) return [];"),
    ],
    needs: shirked,
  },
  {
    name: "no-disproof",
    lacks: "a word on a temporary block that is found false is put before the chain",
    edits: [
      edit(
        examination,
        "known.accused.add(accused);",
        "known.accused.add(accused);\n    if (accused !== self) continue;",
      ),
    ],
    needs: perjured,
  },
  {
    name: "disproof-without-record",
    lacks: "a disproof shows a record that does not verify",
    edits: [
      edit(
        "tools/ledger/disproof.ts",
        'return isSigned ? "is of a record that its meter has signed" : undefined;',
        "return isSigned ? undefined : undefined;",
      ),
    ],
    needs: { ...perjured, behaviours: ["forge"] },
  },
  {
    name: "never-verifies-later",
    lacks: "what a member has only stored it verifies later",
    edits: [edit(examination, "if (state.lateRuns) return [];", "if (state.lateRuns || late.size > 0) return [];")],
    needs: shirked,
  },
];

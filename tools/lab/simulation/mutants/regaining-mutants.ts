// Rules of how a member that has lost its record gets its vote back taken away, one at a time.

import type { Mutant } from "./mutant.js";
import { edit } from "./mutant.js";
import { renewed, undecided } from "./ordeals.js";

const regaining = "tools/consensus/regaining.ts";
const chain = "tools/node/chain/chain.ts";
/** A member loses its record while heights take many rounds. */
const forgetful = { ...undecided, fault: "wiped", faulty: 1, crashEvery_ms: 0, renewed: 0 } as const;

export const regainingMutants: readonly Mutant[] = [
  {
    name: "vouches-for-anything",
    lacks: "who vouches has signed nothing at the height and holds nothing that could be sealed",
    edits: [
      edit(
        regaining,
        'if (voting && step === "idle" && isUnsigned) state.behindRecord',
        "if (voting || step || isUnsigned) state.behindRecord",
      ),
      edit(chain, "if (pool.holds((read) => sealsSomething(sealer.tip, read))) return;", ""),
    ],
    needs: forgetful,
  },
  {
    name: "regains-unvouched",
    lacks: "all other members vouch before one without its record signs",
    edits: [edit(regaining, "others.every((member) => reports.vouched.get(member) === height)", "others.length > 0")],
    needs: forgetful,
  },
  {
    name: "never-vouches",
    lacks: "a chain that stands still gets its members back",
    edits: [edit(regaining, 'state.behindRecord.push({ type: "vouch", to: from, height, run });', "{}")],
    needs: renewed,
  },
  {
    name: "remembers-loss-for-ever",
    lacks: "on a chain that was ordered after the loss nothing is lost",
    edits: [
      edit(
        chain,
        "return founded <= newest && everMember(governor.current, chain.service, self.id, newest) !== undefined;",
        "return founded >= 0 || everMember(governor.current, chain.service, self.id, newest) !== undefined;",
      ),
    ],
    needs: renewed,
  },
];

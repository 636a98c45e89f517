// What an agent would be without the rules by which it does not let itself be starved.

import type { Mutant } from "./mutant.js";
import { edit } from "./mutant.js";
import { picked, starved } from "./ordeals.js";

const window = "src/agent/window.ts";

export const meterMutants: readonly Mutant[] = [
  {
    name: "parked-uncounted",
    lacks: "refused records count for how far others may be ahead",
    edits: [
      {
        file: window,
        replaced: [
          ["let lowest = this.parked.lowest(service);", "let lowest = Number.POSITIVE_INFINITY;"],
          ["if (record.service === service) lowest", "if (record.service === service && !record.isAside) lowest"],
        ],
      },
    ],
    needs: starved,
  },
  {
    name: "refusal-believed",
    lacks: "no refusal lets go of a record",
    edits: [
      edit(
        window,
        "    record.isAside = isLasting(reason);\n",
        "    record.isAside = isLasting(reason);\n    if (record.isAside) this.outbox.done(record.position);\n    if (record.isAside) this.remove(record);\n",
      ),
    ],
    needs: picked,
  },
  {
    name: "stays-starved",
    lacks: "a broker is left by way of which the oldest record is not sealed",
    edits: [
      edit(
        "src/agent/patience.ts",
        "    if (this.brokers === 1) return undefined;\n",
        "    if (this.brokers > 0) return undefined;\n",
      ),
    ],
    needs: { ...picked, starving: "swallow" },
  },
  {
    name: "deferred-unchecked",
    lacks: "a deferred receipt counts once a certificate has proved it",
    edits: [
      edit(
        "src/agent/receipts.ts",
        "      verifySealOf(receipt, this.genesis, sealers, this.verify);\n      this.sealed",
        "      this.sealed",
      ),
    ],
    needs: { ...picked, starving: "forge" },
  },
  {
    name: "unproved-kept",
    lacks: "records whose deferred receipts prove nothing are published again",
    edits: [edit(window, "      record.isDeferred = false;\n", "")],
    needs: { ...picked, starving: "forge" },
  },
];

// Rules about damaged rows and their repair taken away, one at a time.

import type { Mutant } from "./mutant.js";
import { edit } from "./mutant.js";
import { damagedOften } from "./ordeals.js";

export const damageMutants: readonly Mutant[] = [
  {
    name: "uses-damaged-rows",
    lacks: "a row whose checksum differs is not used",
    edits: [
      edit(
        "tools/node/store/table.ts",
        'if (hash("sha256", content, "binary") !== digest) throw',
        "if (content.length < digest.length - SHA256_BYTES) throw",
      ),
    ],
    needs: damagedOften,
  },
  {
    name: "repairs-without-batches",
    lacks: "a repair takes over the records of own temporary blocks",
    edits: [
      edit(
        "tools/node/chain/tables/batches.ts",
        "if (!equalBytes(idIn(key), self)) return;",
        "if (equalBytes(idIn(key), self)) return;",
      ),
    ],
    needs: damagedOften,
  },
  {
    name: "repairs-without-admitted",
    lacks: "a repair takes over the records that wait",
    edits: [
      edit(
        "tools/node/chain/tables/admitted.ts",
        "if (record === undefined || !presentable",
        "if (record !== null || !presentable",
      ),
    ],
    needs: damagedOften,
  },
];

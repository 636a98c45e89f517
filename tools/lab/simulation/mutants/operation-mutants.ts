// Rules of who signs which kind of record taken away, one at a time.

import type { Mutant } from "./mutant.js";
import { edit } from "./mutant.js";
import { attacked } from "./ordeals.js";

const scan = "tools/ledger/record-scan.ts";
const needs = { ...attacked, behaviours: ["forge"], meters: 6, recordsPerMeter: 12 } as const;

export const operationMutants: readonly Mutant[] = [
  {
    name: "takes-readings-of-anybody",
    lacks: "a participant signs no readings",
    edits: [
      edit(
        scan,
        'return isDevice(credential) ? undefined : "credential is a participant\'s, who signs no readings";',
        "return undefined;",
      ),
    ],
    needs,
  },
  {
    name: "takes-operations-of-anybody",
    lacks: "a meter signs no operations",
    edits: [
      edit(
        scan,
        'return isParticipant(credential) ? undefined : "credential is a meter\'s, which signs no operations";',
        "return undefined;",
      ),
    ],
    needs,
  },
];

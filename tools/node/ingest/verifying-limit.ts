// How many signatures of clients are verified at one time: what is beyond stays without PUBACK.

import type { Metrics } from "../watch/metrics.js";
import { Busy } from "./admission.js";
import { VERIFYING_MAX } from "./allowances.js";

export interface VerifyingLimit {
  /** One more is verified; throws Busy where too many are. */
  enter(): void;
  /** One that was entered is done. */
  leave(): void;
}

export function createVerifyingLimit({ unacknowledged }: Pick<Metrics, "unacknowledged">): VerifyingLimit {
  let underWay = 0;
  return {
    enter() {
      if (underWay >= VERIFYING_MAX) {
        unacknowledged.inc();
        throw new Busy("too many signatures wait to be verified");
      }
      underWay += 1;
    },
    leave() {
      underWay -= 1;
    },
  };
}

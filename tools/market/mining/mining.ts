// The mining contract: which studies of a chain a third party is given, of which group, for which purpose, out of which budget; what came
// out of which blocks, by its hash; and whether others have come to the same (docs/mining.md has its operations and parameters).

import type { Context, Deadline, Operation } from "../../contracts/author.js";
import { denying } from "../asked.js";
import { stateCohort } from "./cohorts.js";
import { operationTypes } from "./kinds.js";
import { askStudy, lapse, takeCheck, takeResult } from "./studies.js";

export const reads: readonly string[] = [];
export const writes = ["budget/", "cohort/", "due/", "stated/", "studies/", "study/"];

export function operation(context: Context, asked: Operation): void {
  denying(context, () => {
    switch (asked.type) {
      case operationTypes.cohort:
        return stateCohort(context, asked);
      case operationTypes.ask:
        return askStudy(context, asked);
      case operationTypes.result:
        return takeResult(context, asked);
      case operationTypes.check:
        return takeCheck(context, asked);
      default:
        return context.deny("unknown");
    }
  });
}

export function due(context: Context, { body }: Deadline): void {
  lapse(context, body);
}

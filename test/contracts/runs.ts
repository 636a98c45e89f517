// Runs of small contracts, for tests: what is not said is as here.

import type { Run as StatedRun } from "../../tools/contracts/engine.js";
import { defaultLimits } from "../../tools/contracts/limits.js";

/** With its state as entries. */
export type Run = StatedRun<ReadonlyMap<string, Uint8Array>>;

/** A run of `operation`, whose body is given, in a contract that reads r/ and writes w/. */
export function runOf(body: string, more: Partial<Run> = {}): Run {
  const source = `export const reads = ["r/"];\nexport const writes = ["w/"];\nexport function operation(c, o) {${body}}\n`;
  return moduleRun(source, more);
}

export function moduleRun(source: string, more: Partial<Run> = {}): Run {
  return {
    source,
    entry: "operation",
    argument: null,
    height: 7,
    time_s: 1_700_000_000,
    parameters: {},
    state: new Map(),
    limits: defaultLimits,
    ...more,
  };
}

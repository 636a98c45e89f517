// The rules that blocks name as their contract script: a row a script. A block is replayed by the rules that it names; a new one is
// sealed by those of the last row, so that a chain goes on by new rules once a quorum of its members has them.

import { WireError } from "../../src/wire/error.js";
import { execute, takesEffect } from "./execution.js";

/** Longer names are cut where they are shown; no rules have one. */
const NAME_SHOWN_MAX = 64;

export interface Rules {
  /** what stands in a block */
  readonly script: Uint8Array;
  readonly execute: typeof execute;
  /** Whether the next block would take an order or record evidence. */
  readonly takesEffect: typeof takesEffect;
}

const table: readonly Rules[] = [{ script: new TextEncoder().encode("gs1/rules/1"), execute, takesEffect }];

/** What new blocks are sealed by. */
export const newestRules: Rules = table.at(-1)!;

const byName = new Map(table.map((rules) => [nameOf(rules.script), rules]));

/** A block names rules that this version does not have. */
export class UnknownScript extends WireError {
  constructor(script: Uint8Array) {
    const name = nameOf(script.subarray(0, NAME_SHOWN_MAX));
    super("unsupported", `contract script ${JSON.stringify(name)} is unknown to this version of Gridseal`);
  }
}

/** The rules that a block names; undefined where this version has none of the name. */
export function rulesOf(script: Uint8Array): Rules | undefined {
  return byName.get(nameOf(script));
}

/** Not in UTF-8: different bytes have different names. */
function nameOf(script: Uint8Array): string {
  return String.fromCharCode(...script.subarray(0, NAME_SHOWN_MAX + 1));
}

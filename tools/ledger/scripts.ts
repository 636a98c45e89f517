// The rules that the script of a block names: a row a name. A block is replayed by the rules that it names; a new one is sealed by
// those of the last row, so that a chain goes on by new rules once a quorum of its members has them.

import { WireError } from "../../src/wire/error.js";
import { rulesNamed } from "./contract-centre.js";
import { execute, takesEffect } from "./execution.js";

/** Longer scripts are cut where they are shown. */
const NAME_SHOWN_MAX = 64;

export interface Rules {
  /** what stands first in a script */
  readonly name: string;
  readonly execute: typeof execute;
  /** Whether the next block would take an order or record evidence. */
  readonly takesEffect: typeof takesEffect;
}

const table: readonly Rules[] = [{ name: "gs1/rules/2", execute, takesEffect }];

/** What new blocks are sealed by. */
export const newestRules: Rules = table.at(-1)!;

const byName = new Map(table.map((rules) => [rules.name, rules]));

/** A block names rules that this version does not have. */
export class UnknownScript extends WireError {
  constructor(script: Uint8Array) {
    const name = rulesNamed(script) ?? String.fromCharCode(...script.subarray(0, NAME_SHOWN_MAX));
    const shown = JSON.stringify(name.slice(0, NAME_SHOWN_MAX));
    super("unsupported", `contract script ${shown} is unknown to this version of Gridseal`);
  }
}

/** The rules that a script names; undefined where this version has none of the name. */
export function rulesOf(script: Uint8Array): Rules | undefined {
  const name = rulesNamed(script);
  return name === undefined ? undefined : byName.get(name);
}

// What an answer rests on, said with it: what was checked and against which genesis, or that somebody merely told it.

import { toHex } from "../../src/wire/bytes.js";
import type { Genesis } from "../../src/wire/genesis.js";
import { networkText, printNote } from "../terminal/output.js";

/** What was checked, and by which genesis: by its hash's first 16 hex digits, as `genesis show` has it. */
export function checkedText(what: string, genesis: Genesis): string {
  return `checked ${what}, against genesis ${toHex(genesis.hash).slice(0, 16)} of network ${networkText(genesis)}`;
}

/** Whose word it is where nothing was checked, and what checks it. */
export function toldText(origin: string, remedy: string): string {
  return `not checked, as ${origin} says it: ${remedy}`;
}

/** The same beside a list, whose lines programs read; that a genesis was named changes nothing there, and is said. */
export function noteTold(
  origin: string,
  remedy: string,
  { genesis, data, json }: { readonly genesis?: string; readonly data?: string; readonly json?: true },
): void {
  if (json) return;
  // A store is opened by it.
  const unused = genesis === undefined || data !== undefined ? "" : `; --genesis ${genesis} was not used for it`;
  printNote(`${toldText(origin, remedy)}${unused}`);
}

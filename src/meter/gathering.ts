// The registers and the doubts of one frame while it is read: bounded, each code once.

import { formatObis, sameObis } from "./obis.js";
import type { Register } from "./register.js";

export interface Gathering {
  readonly registers: readonly Register[];
  readonly flags: readonly string[];
  /** Adds a register; the second of one code is left out and flagged `duplicate`, one too many flagged `registers-left-out`. */
  add(register: Register): void;
  /** Adds a doubt, `kind` or `kind obis`; one that is there already is not repeated. */
  flag(kind: string, obis?: Uint8Array): void;
}

const flagsMax = 16;

/** An empty one that takes up to `registersMax` registers and sixteen doubts. */
export function createGathering(registersMax: number): Gathering {
  const registers: Register[] = [];
  const flags: string[] = [];
  const flag = (kind: string, obis?: Uint8Array): void => {
    const text = obis === undefined ? kind : `${kind} ${formatObis(obis)}`;
    if (flags.length < flagsMax && !flags.includes(text)) flags.push(text);
  };
  return {
    registers,
    flags,
    flag,
    add(register) {
      if (registers.some(({ obis }) => sameObis(obis, register.obis))) flag("duplicate", register.obis);
      else if (registers.length === registersMax) flag("registers-left-out");
      else registers.push(register);
    },
  };
}

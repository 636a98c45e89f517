// The registers and the doubts of one frame while it is read: bounded, each code once.

import { DoubtList } from "./doubt-list.js";
import { sameObis } from "./obis.js";
import type { Register } from "./register.js";

export interface Gathering {
  readonly registers: readonly Register[];
  /** The doubts so far, in the order of doubt-list.ts. */
  readonly flags: readonly string[];
  /** Adds a register; the second of one code is left out and flagged `duplicate`, one too many flagged `registers-left-out`. */
  add(register: Register): void;
  /** Adds a doubt, `kind` or `kind code`; one that is there already is not repeated. */
  flag(kind: string, code?: Uint8Array | string): void;
}

/** An empty one that takes up to `registersMax` registers. */
export function createGathering(registersMax: number): Gathering {
  return new FrameGathering(registersMax);
}

/** A class where closures would do: XS keeps a method once, in ROM, but a closure with all that it uses in RAM. */
class FrameGathering implements Gathering {
  readonly registers: Register[] = [];
  private readonly registersMax: number;
  private readonly doubts = new DoubtList();

  constructor(registersMax: number) {
    this.registersMax = registersMax;
  }

  get flags(): readonly string[] {
    return this.doubts.list();
  }

  flag(kind: string, code?: Uint8Array | string): void {
    this.doubts.add(kind, code);
  }

  add(register: Register): void {
    const { registers } = this;
    if (registers.some(({ obis }) => sameObis(obis, register.obis))) this.flag("duplicate", register.obis);
    else if (registers.length === this.registersMax) this.flag("registers-left-out");
    else registers.push(register);
  }
}

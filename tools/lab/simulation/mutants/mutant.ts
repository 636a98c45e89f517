// A mutant: a simulation that lacks one rule, by coming between a node and its surroundings or in the code itself.

import type { ChainPorts } from "../../../node/chain/ports.js";
import type { ClusterOptions } from "../options.js";
import type { SimulatedNode } from "../world/node-world.js";

export interface Edit {
  /** from the project's folder on */
  readonly file: string;
  /** what stands there exactly once, and what stands there instead */
  readonly replaced: readonly (readonly [string, string])[];
}

/** One text of one file. */
export function edit(file: string, text: string, instead: string): Edit {
  return { file, replaced: [[text, instead]] };
}

export interface Mutant {
  readonly name: string;
  /** the rule that it lacks */
  readonly lacks: string;
  readonly ports?: (ports: ChainPorts) => ChainPorts;
  /** What of a frame comes in. */
  readonly frames?: (frame: Uint8Array, node: SimulatedNode) => readonly Uint8Array[];
  readonly edits?: readonly Edit[];
  /** without which the rule is not called upon */
  readonly needs?: Partial<ClusterOptions>;
}

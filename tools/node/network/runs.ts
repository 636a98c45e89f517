// Two processes with one node's key, as a copied folder makes them: each ends the other's links. A run that another one has replaced
// never comes again where there is one process at a time. Pure; memory is bounded.

import { BoundedMap } from "../../bounded-map.js";
import type { NodeId } from "./hello.js";

/** Nodes, and earlier runs of each, that are remembered. */
const NODES_MAX = 512;
const RUNS_MAX = 8;

export interface Runs {
  /** A node's process has shown its run; whether it is one that another has replaced since. */
  isDouble(node: NodeId, run: string): boolean;
}

export function createRuns(): Runs {
  /** the present one is last */
  const known = new BoundedMap<NodeId, readonly string[]>(NODES_MAX);
  return {
    isDouble(node, run) {
      const before = known.get(node) ?? [];
      known.set(node, [...before.filter((other) => other !== run), run].slice(-RUNS_MAX));
      return before.includes(run) && before.at(-1) !== run;
    },
  };
}

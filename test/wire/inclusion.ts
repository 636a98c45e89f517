// Whether a path proves a leaf, as who checks a receipt decides it: by the root that the two lead to.

import { equalBytes } from "../../src/wire/bytes.js";
import { rootFromInclusion } from "../../src/wire/merkle.js";

export interface InclusionProof {
  readonly leaf: Uint8Array;
  readonly index: number;
  readonly size: number;
  readonly path: readonly Uint8Array[];
}

export function provesInclusion({ leaf, index, size, path }: InclusionProof, root: Uint8Array): boolean {
  const reached = rootFromInclusion(leaf, index, size, path);
  return reached !== undefined && equalBytes(reached, root);
}

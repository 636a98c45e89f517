// A node as a person names it: by its id, or by the name that the genesis or an order gave it.

import type { Member } from "../../../../src/wire/genesis.js";
import { idFromText } from "../../../../src/wire/key.js";
import { GridsealError } from "../../../errors.js";
import type { Governance } from "../../../ledger/governance.js";

/** The node that is known by this id or name. Throws NOT_FOUND where none is, or several have the name. */
export function namedNode({ nodes }: Governance, text: string): Member {
  const known = nodes.get(text);
  if (known !== undefined) return known;
  const [named, ...others] = [...nodes].filter(([, { name }]) => name === text);
  if (named !== undefined && others.length === 0) return named[1];
  const several = named !== undefined;
  const list = (several ? [named, ...others] : [...nodes]).map(([id, { name }]) => `${name} ${id}`).join(", ");
  throw new GridsealError(
    "NOT_FOUND",
    several
      ? `${text} is the name of ${others.length + 1} nodes, say which by its id: ${list}`
      : `${text} is no name or key id of a node of the network, which has ${list}`,
  );
}

/** The id in the text, of whichever node; or that of the node of this name. Throws NOT_FOUND as `namedNode`. */
export function namedNodeId(governance: Governance, text: string): Uint8Array {
  return idFromText(text) ?? namedNode(governance, text).id;
}

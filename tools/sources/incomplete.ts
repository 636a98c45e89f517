// What a source of chains does not have, without which a chain cannot be judged.

import { WireError } from "../../src/wire/error.js";

/**
 * What is missing: `contracts` the orders that the chain obeys · `end` the rest of a file that is cut off · `start` the blocks before
 * the first · `pruned` blocks that the node has let go of · `rules` those that
 * a block names, which came after this version · `public` what the blocks hold: the file has what anybody may have
 */
export type Lack = "contracts" | "end" | "start" | "pruned" | "rules" | "public";

/** Thrown where the chain cannot be judged any further. */
export class Incomplete extends WireError {
  readonly lacks: Lack;

  constructor(lacks: Lack, message: string) {
    super("unproven", message);
    this.lacks = lacks;
  }
}

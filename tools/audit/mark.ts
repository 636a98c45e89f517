// How far an earlier audit has found a chain good, so that a later one need not verify the same signatures again. A block's header hash
// binds all that it and the blocks before it hold, less certificates and lock times.

import { equalBytes } from "../../src/wire/bytes.js";
import { WireError } from "../../src/wire/error.js";

/** The last block that was found good. */
export interface AuditedMark {
  readonly height: number;
  readonly header: Uint8Array;
}

/** Whether a block's signatures are still to be verified. Throws a WireError where it is not the block that was found good. */
export function isBeyond(mark: AuditedMark | undefined, height: number, header: Uint8Array): boolean {
  if (mark === undefined || height > mark.height) return true;
  if (height === mark.height && !equalBytes(header, mark.header)) {
    throw new WireError("unproven", "it is another block than the one that was audited before");
  }
  return false;
}

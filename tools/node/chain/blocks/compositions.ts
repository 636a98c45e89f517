// Blocks at the next height as they are composed, each of its inputs once. One that closes slots of many points is made in pieces, between
// which the loop turns to votes and records: a question about it waits, and is asked again when it is there.

import { toHex } from "../../../../src/wire/bytes.js";
import { GridsealError } from "../../../errors.js";
import type { BlockInputs, Composition } from "../../../ledger/compose.js";
import type { Pieces } from "../../../ledger/pieces.js";
import type { ChainPorts } from "../ports.js";

/** Blocks of one height that are kept; of more, the one that was asked for first goes. */
const KEPT = 8;

export interface Compositions {
  /**
   * The block of these inputs, which `begin` begins to make; undefined while it is being made. Throws what making it throws, at each
   * question; a damaged row of this node's own, a GridsealError, ends the node where it shows later than at the first one.
   */
  of(inputs: BlockInputs, begin: () => Pieces<Composition>): Composition | undefined;
  /** The height is over, or the node stops. */
  clear(): void;
}

interface Making {
  readonly work: Pieces<Composition>;
  composition: Composition | undefined;
  /** why it cannot be made: that speaks against what it is made of */
  failure: { readonly thrown: unknown } | undefined;
}

/** `onReady`: a block is there that was asked for, or cannot be made. */
export function createCompositions(
  ports: Pick<ChainPorts, "setTimer" | "clearTimer" | "onFatal">,
  onReady: () => void,
): Compositions {
  const entries = new Map<string, Making>();

  /** One piece of what was asked for first. */
  const goOn = () => {
    const next = [...entries.values()].find(({ composition, failure }) => composition === undefined && !failure);
    if (next === undefined) return;
    try {
      if (advance(next) !== undefined) onReady();
    } catch (error) {
      if (error instanceof GridsealError) {
        ports.onFatal(error);
        return;
      }
      next.failure = { thrown: error };
      onReady();
    }
    ports.setTimer("pieces", 0, goOn);
  };

  return {
    of(inputs, begin) {
      const name = nameOf(inputs);
      const known = entries.get(name);
      if (known?.failure !== undefined) throw known.failure.thrown;
      if (known !== undefined) return known.composition;
      const making: Making = { work: begin(), composition: undefined, failure: undefined };
      const made = advance(making);
      // What comes to nothing now may come to something when orders have come.
      if (made?.type === "none") return made;
      entries.set(name, making);
      if (entries.size > KEPT) entries.delete(entries.keys().next().value!);
      if (made === undefined) ports.setTimer("pieces", 0, goOn);
      return made;
    },
    clear() {
      entries.clear();
      ports.clearTimer("pieces");
    },
  };
}

/** Makes the next piece. */
function advance(making: Making): Composition | undefined {
  const { done, value } = making.work.next();
  if (done === true) making.composition = value;
  return making.composition;
}

/** All that a block depends on beside the chain before: signatures of acknowledgements stand in it too. */
function nameOf({ batches, anchors, time_ms, judgedAt, calls }: BlockInputs): string {
  const accepted = batches.flatMap(({ read, acknowledgements }) => [
    toHex(read.id),
    ...acknowledgements.map(({ node, signature, verified }) => `${toHex(node)} ${verified} ${toHex(signature)}`),
  ]);
  const named = anchors.map(({ chain, height, headerHash }) => `${chain} ${height} ${toHex(headerHash)}`);
  return [time_ms, judgedAt, calls, ...accepted, ...named].join("/");
}

// Where a chain begins: what the block of height 1 stands on, for whoever replays a chain from there.

import type { ChainTip } from "./compose.js";
import { governedChain } from "./governance.js";
import { memberSetOf } from "./members.js";

/** The tip before height 1. `governance` has the order that added the chain, where the genesis has it not. */
export function firstTip(beginning: Pick<ChainTip, "genesis" | "chain" | "governance" | "view">): ChainTip {
  const { genesis, chain, governance } = beginning;
  return {
    ...beginning,
    height: 1,
    previous: genesis.hash,
    counter: 0,
    time_ms: 0,
    judgedAt: governedChain(governance, chain.service)?.contractsHeight ?? 0,
    members: memberSetOf(chain.members, chain.verifiers),
  };
}

// What keeping disclosures asks of a node's chains and of who governs them: members, custodians, the contracts that judge the next block.

import { type ContractInForce, contractsAt } from "../../ledger/contract-orders.js";
import { governedHeight } from "../../ledger/governance.js";
import type { Chain } from "../chain/chain.js";
import type { Governor } from "../chain/sealed-orders.js";
import { custodiansOf } from "./chain-policy.js";
import type { DisclosuresPorts } from "./ports.js";

export interface StandingsPorts {
  readonly chains: ReadonlyMap<number, Chain>;
  readonly governor: Governor;
}

export interface Standings extends Pick<DisclosuresPorts, "nodeKey" | "membersOf" | "hasContract"> {
  /** Those by which the chain's next block is judged. */
  contractsOf(service: number): readonly ContractInForce[];
}

export function createStandings({ chains, governor }: StandingsPorts): Standings {
  const contractsOf = (service: number) => {
    const height = (chains.get(service)?.head.height ?? 0) + 1;
    return contractsAt(governor.current.contracts, { service, height, judgedAt: governedHeight(governor.current) });
  };
  return {
    contractsOf,
    nodeKey: (node) => governor.current.nodes.get(node)?.key,
    membersOf(chain) {
      const standing = chains.get(chain)?.standing;
      if (standing === undefined) return undefined;
      return { ...standing, custodians: custodiansOf(standing.members, contractsOf(chain)) };
    },
    hasContract: (service, name) => contractsOf(service).some(({ install }) => install.name === name),
  };
}

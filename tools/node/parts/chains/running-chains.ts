// Which chains run on this node: those it is or was a member of, by the genesis or by orders; the contracts chain, whose orders govern
// the others; what the configuration has it follow; and what it holds blocks of already. An added chain starts while the node runs.

import type { GenesisChain } from "../../../../src/wire/genesis.js";
import { CONTRACTS_SERVICE, everMember, type GovernedChain, governedHeight } from "../../../ledger/governance.js";
import { type Chain, createChain } from "../../chain/chain.js";
import type { ChainPorts } from "../../chain/ports.js";
import type { Governor } from "../../chain/sealed-orders.js";
import { heads } from "../../chain/tables/heads.js";
import { chainKey } from "../../store/keys.js";
import type { StoreReader } from "../../store/store.js";

export interface RunningChainsPorts {
  readonly governor: Governor;
  readonly store: StoreReader;
  readonly self: Uint8Array;
  /** what each chain is given */
  portsOf(chain: GenesisChain): ChainPorts;
  /** A chain has been made; it is started next, or with all others. */
  onChain(service: number): void;
}

export interface RunningChains {
  readonly chains: ReadonlyMap<number, Chain>;
  nameOf(service: number): string;
  /** Chains to follow without being a member, from here on. */
  follow(services: readonly number[]): void;
  /** From here on the chains run, those of now and those that come. */
  start(): void;
  /** New orders are sealed. */
  onGoverned(): void;
  stop(): void;
}

export function createRunningChains(ports: RunningChainsPorts): RunningChains {
  const chains = new Map<number, Chain>();
  let followed: readonly number[] = [];
  let started = false;
  let stopped = false;

  const belongsHere = ({ chain: { service } }: GovernedChain) => {
    const { current } = ports.governor;
    return (
      service === CONTRACTS_SERVICE ||
      followed.includes(service) ||
      ports.store.get(heads, chainKey(service)) !== undefined ||
      everMember(current, service, ports.self, governedHeight(current)) !== undefined
    );
  };

  const open = () => {
    if (stopped) return;
    for (const governed of ports.governor.current.chains) {
      const { chain } = governed;
      if (chains.has(chain.service) || !belongsHere(governed)) continue;
      const made = createChain(ports.portsOf(chain));
      chains.set(chain.service, made);
      ports.onChain(chain.service);
      if (started) made.start();
    }
  };

  open();
  return {
    chains,
    nameOf: (service) =>
      ports.governor.current.chains.find(({ chain }) => chain.service === service)?.chain.name ?? String(service),
    follow(services) {
      followed = services;
      open();
    },
    start() {
      started = true;
      for (const chain of chains.values()) chain.start();
    },
    onGoverned() {
      open();
      for (const chain of chains.values()) chain.onGoverned();
    },
    stop() {
      stopped = true;
      for (const chain of chains.values()) chain.stop();
    },
  };
}

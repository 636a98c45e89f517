// Follows one chain of one node for as long as it is wanted: every block is audited as it comes, all contracts in it run again, and each
// chain but that of contracts waits for the orders that its blocks were judged by.

import { toHex } from "../../src/wire/bytes.js";
import type { Genesis, GenesisChain } from "../../src/wire/genesis.js";
import { type AuditedBlock, type AuditReport, auditChain } from "../audit/audit.js";
import type { AuditedMark } from "../audit/mark.js";
import { GridsealError } from "../errors.js";
import { CONTRACTS_SERVICE, type Governance, initialGovernance } from "../ledger/governance.js";
import type { ChainContracts } from "../node/contracts/node-contracts.js";
import type { ChainSource } from "../sources/source.js";

/** How often a chain is asked for what is new. */
const EVERY_MS = 500;
/** How long a block may wait for the contracts chain to come to the height that it names. */
const GROUND_MS_MAX = 30_000;

/** What the contracts chain of one node has come to, as far as it is audited. */
export class Ground {
  governance: Governance;
  contractsHeight = 0;

  constructor(genesis: Genesis) {
    this.governance = initialGovernance(genesis);
  }

  note({ block, governance }: AuditedBlock): void {
    this.governance = governance;
    this.contractsHeight = block.height;
  }
}

export interface FollowedChain {
  readonly genesis: Genesis;
  readonly chain: GenesisChain;
  readonly source: ChainSource;
  readonly ground: Ground;
  readonly run: ChainContracts["run"];
  /** the last block of the node's chain that was audited before this began */
  readonly audited: AuditedMark | undefined;
  readonly signal: AbortSignal;
  onBlock(audited: AuditedBlock, received: Received): void;
}

/** When a block came, by this machine's clock in UTC milliseconds. */
export interface Received {
  /** when the node last had no more blocks; undefined before it had none left for the first time */
  readonly none_ms: number | undefined;
  readonly at_ms: number;
}

/** Resolves with why it does not go on, or when nobody wants it any more. */
export async function followChain(followed: FollowedChain): Promise<AuditReport> {
  const { genesis, chain, ground, run } = followed;
  const isContracts = chain.service === CONTRACTS_SERVICE;
  // Each block is concluded before the next one is asked for.
  let received: Received = { none_ms: undefined, at_ms: Date.now() };
  const onReceived = (one: Received) => {
    received = one;
  };
  return auditChain(genesis, chain, () => growing(followed, onReceived), {
    governance: ground.governance,
    runContracts: run,
    isFollowing: true,
    ...(followed.audited !== undefined && { audited: followed.audited }),
    ...(!isContracts && {
      async groundOf({ judgedAt }) {
        const until_ms = performance.now() + GROUND_MS_MAX;
        while (ground.contractsHeight < judgedAt && performance.now() < until_ms && !followed.signal.aborted) {
          await pause(EVERY_MS / 5);
        }
        return ground;
      },
    }),
    onBlock(audited) {
      if (isContracts) ground.note(audited);
      followed.onBlock(audited, received);
    },
  });
}

/** The chain's blocks from the first on, then those that come; a node that does not answer is asked again. */
async function* growing(
  { source, chain, signal }: FollowedChain,
  onReceived: (received: Received) => void,
): AsyncGenerator<Uint8Array> {
  let next = 1;
  let none_ms: number | undefined;
  while (!signal.aborted) {
    try {
      for await (const bytes of source.blocks(chain.service, next)) {
        next += 1;
        onReceived({ none_ms, at_ms: Date.now() });
        yield bytes;
        if (signal.aborted) return;
      }
      none_ms = Date.now();
    } catch (error) {
      if (!(error instanceof GridsealError && error.code === "NODE_UNREACHABLE")) throw error;
    }
    await pause(EVERY_MS);
  }
}

export function headerOf({ header }: AuditedBlock): string {
  return toHex(header);
}

export function pause(duration_ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, duration_ms));
}

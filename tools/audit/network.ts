// The audit of several chains of a network together: the contracts chain first, whose orders the others are judged by; then each
// chain's anchors against the headers of the others, so that a chain that was rewritten, even by all its members, is contradicted.

import type { Genesis } from "../../src/wire/genesis.js";
import { GridsealError } from "../errors.js";
import { CONTRACTS_SERVICE, type Governance, governedChain, initialGovernance } from "../ledger/governance.js";
import { type AnchorRows, createAnchorRows, createRows, type Rows } from "./anchors.js";
import { type AuditedBlock, type AuditOptions, type AuditReport, auditChain, unknownChainReport } from "./audit.js";

/** A chain's blocks from height 1 on, again at each call. */
export type BlocksOf = () => AsyncIterable<Uint8Array>;

/** Where the chains of a network are, and what runs their contracts. */
export interface AuditedNetwork {
  /** A chain's blocks; undefined where they are not at hand. */
  open(service: number): BlocksOf | undefined;
  readonly runContracts: AuditOptions["runContracts"];
  /** Called after each good block. */
  onBlock?(audited: AuditedBlock): void;
}

/** What a good chain says of itself and of the others, compactly: a chain may have millions of blocks. */
interface Witness {
  readonly report: AuditReport;
  /** header hashes by height, from 1 */
  readonly headers: Rows;
  readonly anchors: AnchorRows;
  readonly blocks: BlocksOf;
}

const HASH_BYTES = 32;

/**
 * Audits the services, all where undefined, of a network. The
 * contracts chain is audited where it is at hand, and reported where it is asked for or bad. A service that only an order can have added
 * is incomplete without it. Throws CHAIN_INVALID for one of a network without orders that has it not; rejects with what reading blocks throws.
 */
export async function auditNetwork(
  genesis: Genesis,
  { open, runContracts, onBlock }: AuditedNetwork,
  services: readonly number[] | undefined,
): Promise<readonly AuditReport[]> {
  let governance = initialGovernance(genesis);
  const witnesses = new Map<number, Witness>();
  const contracts = governedChain(governance, CONTRACTS_SERVICE) === undefined ? undefined : open(CONTRACTS_SERVICE);
  if (contracts !== undefined) {
    const witness = await hear(
      { genesis, governance, contractsHeight: 0, runContracts, onBlock },
      CONTRACTS_SERVICE,
      contracts,
      (after) => {
        governance = after;
      },
    );
    witnesses.set(CONTRACTS_SERVICE, witness);
  }
  const contractsHeight = witnesses.get(CONTRACTS_SERVICE)?.report.height ?? 0;
  const asked = services ?? governance.chains.map(({ chain }) => chain.service);
  for (const service of asked) {
    const blocks = witnesses.has(service) ? undefined : open(service);
    if (blocks !== undefined)
      witnesses.set(
        service,
        await hear({ genesis, governance, contractsHeight, runContracts, onBlock }, service, blocks),
      );
  }
  const reports = new Map<number, AuditReport>();
  for (const [service, witness] of witnesses) reports.set(service, await confront(witness, witnesses));
  const unasked = reports.get(CONTRACTS_SERVICE);
  const extra = unasked?.firstProblem === undefined || asked.includes(CONTRACTS_SERVICE) ? [] : [unasked];
  return [...asked.flatMap((service) => reports.get(service) ?? []), ...extra];
}

/** What a chain is judged by. */
interface Ground {
  readonly genesis: Genesis;
  readonly governance: Governance;
  /** how far the contracts chain is at hand and good */
  readonly contractsHeight: number;
  readonly runContracts: AuditOptions["runContracts"];
  readonly onBlock: ((audited: AuditedBlock) => void) | undefined;
}

async function hear(
  { genesis, governance, contractsHeight, runContracts, onBlock }: Ground,
  service: number,
  blocks: BlocksOf,
  onGovernance: (after: Governance) => void = () => {},
): Promise<Witness> {
  const governed = governedChain(governance, service);
  const headers = createRows(HASH_BYTES);
  const anchors = createAnchorRows();
  if (governed === undefined) {
    if (governedChain(governance, CONTRACTS_SERVICE) !== undefined) {
      return { report: unknownChainReport(genesis, service), headers, anchors, blocks };
    }
    throw new GridsealError("CHAIN_INVALID", `network ${genesis.network} has no service ${service}`);
  }
  const report = await auditChain(genesis, governed.chain, blocks, {
    governance,
    contractsHeight,
    runContracts,
    onBlock(audited) {
      const { block, header, governance: after, members } = audited;
      headers.push(header);
      onGovernance(after);
      anchors.note(block, members);
      onBlock?.(audited);
    },
  });
  return { report, headers, anchors, blocks };
}

/** The report of a chain with its anchors held against the other chains, as far as those are good. Each stays what it is by itself. */
async function confront(
  { report, anchors, blocks }: Witness,
  witnesses: ReadonlyMap<number, Witness>,
): Promise<AuditReport> {
  const found = await anchors.confront((service) => witnesses.get(service)?.headers, blocks);
  return { ...report, anchors: { ...report.anchors, ...found } };
}

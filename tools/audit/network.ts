// The audit of several chains of a network together: the contracts chain first, whose orders the others are judged by; then each
// chain's anchors against the headers of the others, so that a chain that was rewritten, even by all its members, is contradicted.

import type { Block } from "../../src/wire/block.js";
import { equalBytes, toHex } from "../../src/wire/bytes.js";
import type { Genesis } from "../../src/wire/genesis.js";
import { GridsealError } from "../errors.js";
import { CONTRACTS_SERVICE, type Governance, governedChain, initialGovernance } from "../node/chain/governance.js";
import { type AuditReport, auditChain, unknownChainReport } from "./audit.js";
import { verdictOn } from "./problem.js";

/** A chain's blocks from height 1 on, again at each call. */
export type BlocksOf = () => AsyncIterable<Uint8Array>;

/** What a good chain says of itself and of the others, compactly: a chain may have millions of blocks. */
interface Witness {
  readonly report: AuditReport;
  /** header hashes by height, from 1 */
  readonly headers: Rows;
  /** the newest anchors that blocks name: service (2 bytes), anchored height (6), height of the block (6), header hash (32) */
  readonly anchors: Rows;
}

const HASH_BYTES = 32;
const ANCHOR_BYTES = 46;

/**
 * Audits the services, all where undefined, of a network; `open` has a chain's blocks, undefined where they are not at hand. The
 * contracts chain is audited where it is at hand, and reported where it is asked for or bad. A service that only an order can have added
 * is incomplete without it. Throws CHAIN_INVALID for one of a network without orders that has it not; rejects with what reading blocks throws.
 */
export async function auditNetwork(
  genesis: Genesis,
  open: (service: number) => BlocksOf | undefined,
  services: readonly number[] | undefined,
): Promise<readonly AuditReport[]> {
  let governance = initialGovernance(genesis);
  const witnesses = new Map<number, Witness>();
  const contracts = governedChain(governance, CONTRACTS_SERVICE) === undefined ? undefined : open(CONTRACTS_SERVICE);
  if (contracts !== undefined) {
    const witness = await hear({ genesis, governance, contractsHeight: 0 }, CONTRACTS_SERVICE, contracts, (after) => {
      governance = after;
    });
    witnesses.set(CONTRACTS_SERVICE, witness);
  }
  const contractsHeight = witnesses.get(CONTRACTS_SERVICE)?.report.height ?? 0;
  const asked = services ?? governance.chains.map(({ chain }) => chain.service);
  for (const service of asked) {
    const blocks = witnesses.has(service) ? undefined : open(service);
    if (blocks !== undefined)
      witnesses.set(service, await hear({ genesis, governance, contractsHeight }, service, blocks));
  }
  const reports = new Map([...witnesses].map(([service, witness]) => [service, confront(witness, witnesses)]));
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
}

async function hear(
  { genesis, governance, contractsHeight }: Ground,
  service: number,
  blocks: BlocksOf,
  onGovernance: (after: Governance) => void = () => {},
): Promise<Witness> {
  const governed = governedChain(governance, service);
  const headers = createRows(HASH_BYTES);
  const anchors = createRows(ANCHOR_BYTES);
  if (governed === undefined) {
    if (governedChain(governance, CONTRACTS_SERVICE) !== undefined) {
      return { report: unknownChainReport(genesis, service), headers, anchors };
    }
    throw new GridsealError("CHAIN_INVALID", `network ${genesis.network} has no service ${service}`);
  }
  const newest = new Map<number, number>();
  const report = await auditChain(genesis, governed.chain, blocks, {
    governance,
    contractsHeight,
    onBlock(block, header, after) {
      headers.push(header);
      onGovernance(after);
      noteAnchors(anchors, newest, block);
    },
  });
  return { report, headers, anchors };
}

/** Each anchor once, where a block names it first. */
function noteAnchors(anchors: Rows, newest: Map<number, number>, block: Block): void {
  for (const { chain, height, headerHash } of block.anchors) {
    if (newest.get(chain) === height) continue;
    newest.set(chain, height);
    const row = new Uint8Array(ANCHOR_BYTES);
    const fields = Buffer.from(row.buffer);
    fields.writeUInt16BE(chain, 0);
    fields.writeUIntBE(height, 2, 6);
    fields.writeUIntBE(block.height, 8, 6);
    row.set(headerHash, 14);
    anchors.push(row);
  }
}

/** The report of a chain with its anchors held against the other chains, as far as those are good. */
function confront({ report, anchors }: Witness, witnesses: ReadonlyMap<number, Witness>): AuditReport {
  let confirmed = 0;
  let problem = report.firstProblem;
  for (let index = 0; index < anchors.length; index += 1) {
    const row = Buffer.from(anchors.at(index));
    const [service, height, block] = [row.readUInt16BE(0), row.readUIntBE(2, 6), row.readUIntBE(8, 6)];
    const other = witnesses.get(service);
    if (other === undefined || height > other.headers.length) continue;
    const [named, header] = [row.subarray(14), other.headers.at(height - 1)];
    if (equalBytes(named, header)) {
      confirmed += 1;
    } else if (problem === undefined || problem.lacks !== undefined || block < problem.height) {
      const what = `anchors block ${height} of ${other.report.name} as ${toHex(named).slice(0, 16)}, where that chain has ${toHex(header).slice(0, 16)}`;
      problem = { height: block, what: `${what}: one of the two was rewritten` };
    }
  }
  return { ...report, anchors: { ...report.anchors, confirmed }, verdict: verdictOn(problem), firstProblem: problem };
}

interface Rows {
  readonly length: number;
  push(row: Uint8Array): void;
  at(index: number): Uint8Array;
}

/** Rows of one width in one growing buffer. */
function createRows(width: number): Rows {
  let buffer = new Uint8Array(64 * width);
  let length = 0;
  return {
    get length() {
      return length;
    },
    push(row) {
      if ((length + 1) * width > buffer.length) {
        const larger = new Uint8Array(2 * buffer.length);
        larger.set(buffer);
        buffer = larger;
      }
      buffer.set(row, length * width);
      length += 1;
    },
    at: (index) => buffer.subarray(index * width, (index + 1) * width),
  };
}

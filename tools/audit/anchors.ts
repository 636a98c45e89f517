// Anchors of chains that are audited together, held against each other's headers. A quorum seals no anchor without the certificate of
// what it names; where one contradicts its chain, this says who proposed it and who signed it.

import { type Block, decodeBlock } from "../../src/wire/block.js";
import { equalBytes, toHex } from "../../src/wire/bytes.js";
import type { MemberSet } from "../ledger/members.js";

/** A block names another header of another chain than that chain has: one of two quorums has signed what no correct node signs. */
export interface Contradiction {
  /** the block that names it, and the round in which that was decided */
  readonly block: number;
  readonly round: number;
  /** id of the member whose turn it was to propose in that round, and ids of those who signed the block */
  readonly proposer: string;
  readonly signers: readonly string[];
  /** the other chain, and the height that is named */
  readonly service: number;
  readonly height: number;
  /** header hashes in hex: as the block names it, and as that chain has it */
  readonly named: string;
  readonly sealed: string;
}

/** What was found of a chain's anchors where the other chains are at hand. */
export interface Confrontation {
  readonly confirmed: number;
  /** how many name another header; the first ones are listed */
  readonly contradicted: number;
  readonly contradictions: readonly Contradiction[];
}

/** The anchors of one chain, compactly: each once, where a block names it first. */
export interface AnchorRows {
  note(block: Block, members: MemberSet): void;
  /** `headersOf` has another chain's header hashes by height; `blocks` yields this chain's blocks again. */
  confront(
    headersOf: (service: number) => Rows | undefined,
    blocks: () => AsyncIterable<Uint8Array>,
  ): Promise<Confrontation>;
}

/** Service (2 bytes), anchored height (6), height of the block (6), its round (4), its proposer (8), header hash (32). */
const ANCHOR_BYTES = 58;
const LISTED_MAX = 16;

export function createAnchorRows(): AnchorRows {
  const rows = createRows(ANCHOR_BYTES);
  /** row of the last anchor of each chain */
  const newest = new Map<number, Uint8Array>();
  return {
    note(block, members) {
      for (const { chain, height, headerHash } of block.anchors) {
        const last = newest.get(chain);
        if (last !== undefined && readRow(last).height === height && equalBytes(readRow(last).named, headerHash))
          continue;
        const { round } = block.certificate;
        const row = Buffer.alloc(ANCHOR_BYTES);
        row.writeUInt16BE(chain, 0);
        row.writeUIntBE(height, 2, 6);
        row.writeUIntBE(block.height, 8, 6);
        row.writeUInt32BE(round, 14);
        row.set(members.members[(block.height + round) % members.members.length]!.id, 18);
        row.set(headerHash, 26);
        rows.push(row);
        newest.set(chain, row);
      }
    },
    async confront(headersOf, blocks) {
      let confirmed = 0;
      let contradicted = 0;
      const found: Omit<Contradiction, "signers">[] = [];
      for (let index = 0; index < rows.length; index += 1) {
        const { service, height, named, ...where } = readRow(rows.at(index));
        const headers = headersOf(service);
        if (headers === undefined || height > headers.length) continue;
        const sealed = headers.at(height - 1);
        if (equalBytes(named, sealed)) {
          confirmed += 1;
          continue;
        }
        contradicted += 1;
        if (found.length === LISTED_MAX) continue;
        found.push({ ...where, service, height, named: toHex(named), sealed: toHex(sealed) });
      }
      return { confirmed, contradicted, contradictions: await withSigners(found, blocks) };
    },
  };
}

function readRow(bytes: Uint8Array) {
  const row = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    service: row.readUInt16BE(0),
    height: row.readUIntBE(2, 6),
    block: row.readUIntBE(8, 6),
    round: row.readUInt32BE(14),
    proposer: toHex(row.subarray(18, 26)),
    named: row.subarray(26),
  };
}

/** Goes through the chain once more, as far as the last of these blocks. */
async function withSigners(
  found: readonly Omit<Contradiction, "signers">[],
  blocks: () => AsyncIterable<Uint8Array>,
): Promise<readonly Contradiction[]> {
  const last = found.at(-1)?.block;
  if (last === undefined) return [];
  const signers = new Map<number, readonly string[]>();
  let height = 0;
  for await (const bytes of blocks()) {
    height += 1;
    if (found.some(({ block }) => block === height)) {
      signers.set(
        height,
        decodeBlock(bytes).certificate.signatures.map(({ node }) => toHex(node)),
      );
    }
    if (height === last) break;
  }
  return found.map((contradiction) => ({ ...contradiction, signers: signers.get(contradiction.block) ?? [] }));
}

export interface Rows {
  readonly length: number;
  push(row: Uint8Array): void;
  at(index: number): Uint8Array;
}

/** Rows of one width in one growing buffer. */
export function createRows(width: number): Rows {
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

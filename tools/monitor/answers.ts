// Whether what a node answers about a block is what that block has sealed: the block asked for by its height, the rows of slots that it
// closes, what it says against somebody. Each is asked for as soon as the block is audited.

import { type Block, blockTree, decodeBlock, encodeBlock, slotsIn } from "../../src/wire/block.js";
import { equalBytes, toHex } from "../../src/wire/bytes.js";
import { WireError } from "../../src/wire/error.js";
import { decodeHeader } from "../../src/wire/header.js";
import { rootOfLevels } from "../../src/wire/merkle.js";
import { encodePointRow, slotRoot } from "../../src/wire/slot.js";
import { violationComplaint } from "../contracts/told-violation.js";
import { reasonOf } from "../errors.js";
import { resultsDifference } from "../ledger/results-difference.js";
import { decodeResults, subjectOf } from "../ledger/violations.js";
import type { ReceiptSource } from "../sources/source.js";

/** Blocks whose answers wait to be asked for; of more the oldest are let go of. */
const BLOCKS_MAX = 64;
/** Blocks that are asked about at a time, and violations of each. */
const BLOCKS_AT_ONCE = 8;
const VIOLATIONS_MAX = 8;

export interface AnswerChecks {
  note(block: Block): void;
  /** What is wrong with answers about blocks of a chain; undefined where nothing is. */
  look(source: ReceiptSource, service: number): Promise<string | undefined>;
}

export function createAnswerChecks(): AnswerChecks {
  const waiting = new Map<number, Block[]>();
  /** by chain: a block about which the node has answered otherwise, which is asked about until that is over */
  const wrong = new Map<number, Block>();
  return {
    note(block) {
      const blocks = waiting.get(block.chain) ?? [];
      blocks.push(block);
      if (blocks.length > BLOCKS_MAX) blocks.shift();
      waiting.set(block.chain, blocks);
    },
    async look(source, service) {
      const blocks = waiting.get(service) ?? [];
      const known = wrong.get(service);
      const asked = known === undefined ? blocks.splice(0, BLOCKS_AT_ONCE) : [known];
      for (let block = asked.shift(); block !== undefined; block = asked.shift()) {
        let complaint: string | undefined;
        try {
          complaint = await answerComplaint(source, block);
        } catch (error) {
          if (block !== known) blocks.push(...asked, block); // asked again behind the others
          throw error;
        }
        if (complaint !== undefined) {
          wrong.set(service, block);
          blocks.unshift(...asked);
          return complaint;
        }
        wrong.delete(service);
      }
      return undefined;
    },
  };
}

/** What a node answers otherwise about a block than the block has sealed. */
export async function answerComplaint(source: ReceiptSource, block: Block): Promise<string | undefined> {
  const said = (await blockComplaint(source, block)) ?? (await slotsComplaint(source, block));
  return said ?? violationsComplaint(source, block);
}

async function blockComplaint(source: ReceiptSource, block: Block): Promise<string | undefined> {
  const bytes = await source.block(block.chain, block.height);
  const name = `asked for block ${block.height} it answers with`;
  if (bytes === undefined) return `${name} none, and lists one`;
  if (equalBytes(bytes, encodeBlock(block))) return undefined;
  try {
    const other = decodeBlock(bytes);
    if (!equalBytes(other.header, block.header)) return `${name} another one than it lists`;
    // Who has signed it and when it came stand beside what is hashed.
    if (equalBytes(rootOfLevels(blockTree(other)), decodeHeader(block.header).merkleRoot)) return undefined;
    if (equalBytes(other.results, block.results)) return `${name} other records than its header has`;
    return `${name} other results: ${resultsDifference(decodeResults(block.results), other.results)}`;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return `${name} what is none: ${reasonOf(error)}`;
  }
}

async function slotsComplaint(source: ReceiptSource, block: Block): Promise<string | undefined> {
  for (const slot of slotsIn(block.results)) {
    const told = await source.slot(block.chain, slot.start_s);
    if (told === undefined) continue; // it keeps none of so long ago
    const isSame = told.rows.length === slot.points && equalBytes(slotRoot(told.rows.map(encodePointRow)), slot.root);
    if (!isSame)
      return `of the slot from ${slot.start_s} it tells other energies than block ${block.height} has sealed`;
  }
  return undefined;
}

async function violationsComplaint(source: ReceiptSource, block: Block): Promise<string | undefined> {
  const { violations } = decodeResults(block.results);
  for (const [index, sealed] of violations.slice(0, VIOLATIONS_MAX).entries()) {
    const name = `${block.chain}:${block.height}:${index}`;
    const complaint = violationComplaint(await source.violation(name), sealed);
    if (complaint !== undefined) return `violation ${name} against ${toHex(subjectOf(sealed))}: ${complaint}`;
  }
  return undefined;
}

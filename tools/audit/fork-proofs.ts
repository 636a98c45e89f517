// Forks that a chain has recorded: for each, another record with the same number must be sealed. An audit that keeps no record's hash
// goes through the chain a second time for them, and only where there are any.

import { decodeBlock } from "../../src/wire/block.js";
import { equalBytes, toHex } from "../../src/wire/bytes.js";
import { type AnyRecord, parseAnyRecord } from "../../src/wire/operation.js";
import type { Problem } from "./problem.js";

interface Expected {
  readonly hash: Uint8Array;
  /** of the block that recorded the fork */
  readonly height: number;
}

export interface ForkProofs {
  /** Notes the second records that the block at this height holds. */
  expect(forks: readonly AnyRecord[], height: number): void;
  /** The first fork whose number no other record is sealed with. */
  findUnproved(blocks: () => AsyncIterable<Uint8Array>): Promise<Problem | undefined>;
}

export function createForkProofs(): ForkProofs {
  /** by meter and number; a number can be recorded again when a meter has forked many others since */
  const expected = new Map<string, Expected[]>();
  return {
    expect(forks, height) {
      for (const fork of forks) {
        const name = nameOf(fork);
        expected.set(name, [...(expected.get(name) ?? []), { hash: fork.hash, height }]);
      }
    },
    async findUnproved(blocks) {
      if (expected.size === 0) return undefined;
      for await (const bytes of blocks()) {
        const block = decodeBlock(bytes);
        for (const { records } of block.batches) {
          for (const record of records) prove(expected, parseAnyRecord(record), block.height);
        }
        if (expected.size === 0) return undefined;
      }
      const [name, [first]] = [...expected][0]! as [string, [Expected]];
      return {
        height: first.height,
        what: `fork of record ${name} is recorded, and no other record is sealed with its number`,
      };
    },
  };
}

function prove(expected: Map<string, Expected[]>, record: AnyRecord, height: number): void {
  const name = nameOf(record);
  const open = expected.get(name)?.filter((fork) => fork.height < height || equalBytes(fork.hash, record.hash));
  if (open === undefined) return;
  if (open.length === 0) expected.delete(name);
  else expected.set(name, open);
}

function nameOf(record: AnyRecord): string {
  return `${record.claims.seq} of meter ${toHex(record.kid)}`;
}

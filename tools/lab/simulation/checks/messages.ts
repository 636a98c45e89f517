// What chains tell each other, held against what they have sealed: numbers without holes on either side, each taken once, as it was sent
// (I32).

import type { Block } from "../../../../src/wire/block.js";
import { toHex } from "../../../../src/wire/bytes.js";
import { entryText } from "../../../../src/wire/entry.js";
import { sha256 } from "../../../../src/wire/hash.js";
import { decodeCarried } from "../../../../src/wire/message.js";
import { noticesOf } from "../../../../src/wire/notice.js";
import { type EntryOutcome, effectItems, placedMessages } from "../../../../src/wire/outcome.js";
import type { Fail } from "./violation.js";

export interface MessageChecks {
  /** What the block tells other chains, and what it takes of them. */
  check(where: string, block: Block, outcomes: readonly EntryOutcome[]): void;
  /** The number of the next message that a chain takes of another. */
  next(source: number, target: number): number;
  /** Lanes between chains on which messages wait, by name; `exists`: there is such a chain. */
  waiting(exists: (service: number) => boolean): string[];
  /** Fails where a chain has taken what none has sent. */
  checkSent(): void;
  readonly taken: number;
}

const ONCE = "I32 messages between two chains are numbered from 0 without holes, and each is taken once, in its turn";

export function createMessageChecks(fail: Fail): MessageChecks {
  /** hashes, by chain and chain, in the order of their numbers */
  const sent = new Map<string, string[]>();
  const taken = new Map<string, string[]>();

  const note = (lanes: Map<string, string[]>, lane: string, number: number, told: { where: string; hash: string }) => {
    const known = lanes.get(lane) ?? [];
    const { where, hash } = told;
    if (number !== known.length) return fail(ONCE, `${where}: ${number} on ${lane}, not ${known.length}`);
    lanes.set(lane, [...known, hash]);
    const [said, heard] = [sent.get(lane)?.[number], taken.get(lane)?.[number]];
    if (said !== undefined && heard !== undefined && said !== heard) {
      fail(ONCE, `${where}: ${number} on ${lane} is not what was sent`);
    }
  };

  return {
    check(where, block, outcomes) {
      const placed = placedMessages(outcomes);
      const items = placed.length === 0 ? [] : effectItems(block, outcomes);
      for (const { to, index } of placed) {
        note(sent, `${block.chain}>${to.service}`, to.number, { where, hash: toHex(sha256(items[index]!)) });
      }
      const notices = block.batches.flatMap((batch) => noticesOf(batch.notices, "message")).map(decodeCarried);
      for (const { entry } of outcomes) {
        if (entry.kind !== "message") continue;
        const { service, number } = entry;
        const carried = notices.find(({ message }) => message.service === service && message.number === number);
        const hash = carried === undefined ? "" : toHex(carried.receipt.recordHash);
        note(taken, `${service}>${block.chain}`, number, { where: `${where} ${entryText(entry)}`, hash });
      }
    },
    next: (source, target) => taken.get(`${source}>${target}`)?.length ?? 0,
    waiting: (exists) =>
      [...sent].flatMap(([lane, said]) => {
        const target = Number(lane.split(">")[1]);
        const left = said.length - (taken.get(lane)?.length ?? 0);
        return exists(target) && left !== 0 ? [`${left} messages on ${lane}`] : [];
      }),
    checkSent() {
      for (const [lane, heard] of taken) {
        const said = sent.get(lane)?.length ?? 0;
        if (heard.length > said) fail(ONCE, `${heard.length} are taken on ${lane}, and ${said} were sent`);
      }
    },
    get taken() {
      return [...taken.values()].reduce((sum, heard) => sum + heard.length, 0);
    },
  };
}

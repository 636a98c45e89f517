// Days of a grant, opened: several nodes may have encrypted what one record hides, and one of these may have lied, or have encrypted a
// part of it. What any of them proves counts, of whichever node it comes.

import { toHex } from "../../../src/wire/bytes.js";
import { sha256 } from "../../../src/wire/hash.js";
import type { Days, DeliveredRecord, GrantSource } from "../../sources/grants.js";
import { askSeveral } from "./asking.js";
import { type OpenedValue, type Opening, openRecord } from "./opening.js";

export interface Opened {
  readonly values: readonly OpenedValue[];
  /** records that were delivered */
  readonly records: number;
  /** records of which something stays closed */
  readonly closed: number;
  readonly complaints: readonly string[];
}

/** What has been delivered of one record. */
interface Found {
  /** by digest as hex, with the registers of each disclosure */
  readonly proved: Map<string, readonly OpenedValue[]>;
  isClosed: boolean;
  /** all that it hides is proved */
  isWhole: boolean;
  complaint: string | undefined;
}

/**
 * The days' records, of the first nodes that prove all that they hide; whose rows hold what nothing proves. The next node is asked
 * where one leaves something open, delivers no record at all, breaks off, or takes long.
 */
export async function openDays(
  opening: Opening,
  keys: ReadonlyMap<string, Uint8Array>,
  { days, sources }: { readonly days: Days; readonly sources: readonly Pick<GrantSource, "origin" | "records">[] },
): Promise<Opened> {
  const all = new Map<string, Found>();
  /** what was opened and is not proved, by whose it was: each is told once, however many nodes deliver it */
  const named = new Set<string>();
  const complaints: string[] = [];
  const take = (origin: string, delivered: DeliveredRecord): void => {
    const name = toHex(sha256(delivered.record));
    const found = all.get(name) ?? { proved: new Map(), isClosed: false, isWhole: false, complaint: undefined };
    all.set(name, found);
    if (found.isWhole) return;
    const record = openRecord(opening, keys, delivered);
    if (record.type === "closed") found.isClosed = true;
    else if (record.type === "refuted") {
      found.complaint = `${origin} delivers a record that proves nothing: ${record.reason}`;
    } else {
      for (const complaint of record.complaints) named.add(complaint);
      for (const [digest, values] of record.proved) {
        if (!found.proved.has(digest)) found.proved.set(digest, values);
      }
      found.isWhole = found.proved.size >= record.hidden;
    }
  };
  const nodes = sources.map(({ origin, records }) => ({
    origin,
    async ask(signal: AbortSignal, onHeard: () => void) {
      for await (const delivered of records(days, signal)) {
        if (signal.aborted) return;
        onHeard();
        take(origin, delivered);
      }
    },
  }));
  const isEnough = () => all.size > 0 && [...all.values()].every(({ isWhole }) => isWhole);
  await askSeveral(nodes, { order: "in turn", isEnough, hearsOthers: false }, complaints);
  const lacking = [...all.values()].filter(({ isWhole }) => !isWhole);
  return {
    values: [...all.values()].flatMap(({ proved }) => [...proved.values()].flat()),
    records: all.size,
    closed: lacking.filter(({ isClosed, complaint }) => isClosed && complaint === undefined).length,
    complaints: [...named, ...lacking.flatMap(({ complaint }) => complaint ?? []), ...complaints],
  };
}

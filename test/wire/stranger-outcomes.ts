// What the stranger makes of operations and of what contracts put out: sections 10, 12 and 28 of PROTOCOL.md. It runs no contract, and
// imports neither src nor tools.

import { type Item, independentCbor, independentDecode } from "./independent-cbor.js";
import { bounds, counts, sizes } from "./stranger-bounds.js";
import type { StrangerMessage } from "./stranger-messages.js";
import { bytesOf, demand, hex, list, listUpTo, numberOf, same, sha256 } from "./stranger-proof.js";

const SHARE = { used: 1_000, said: 987 } as const;
/** Violations in a message of the rules, and such messages of a block. */
const TOLD = { rows: 100, messages: 63 } as const;

/** A sealed operation: where it stands, what it asks and until when. */
export interface StrangerOperation {
  readonly leaf: number;
  readonly type: number;
  readonly until_s: number | undefined;
}

/** An outcome, or what a contract has put out, as the leaf behind the records has it. */
export interface StrangerEffect {
  readonly bytes: Buffer;
  readonly hash: Buffer;
}

/** Section 10: what the leaves behind the records stand for. */
export function effectsOf(
  chain: number,
  height: number,
  outcomes: Item | undefined,
  slots: Item | undefined,
): StrangerEffect[] {
  const closed = list(slots).map((item): Item => ["gs1/slot", chain, height, ...list(item, 4)]);
  const put = list(outcomes).flatMap((item): Item[] => {
    const row = list(item);
    const [entry, kind, contract = null, used = 0] = row;
    const detail = kind === 3 ? row[4]! : kind === 2 ? row[5]! : null;
    const isTold = kind === 5;
    const put = kind === 1 || kind === 2 ? list(row[4]) : isTold ? list(row[2]) : [];
    const [by, spent] = isTold ? [null, 0] : [contract, used];
    const items: Item[] = [["gs1/outcome", chain, height, entry!, kind!, by, spent, detail]];
    for (const [index, effect] of put.entries()) {
      const [sort, name, body, service, number, hops] = list(effect);
      const place: Item[] = [chain, height, entry!, index, by, name!, body!];
      items.push(sort === 2 ? ["gs1/message", ...place, service!, number!, hops!] : ["gs1/effect", ...place]);
    }
    return items;
  });
  return [...put, ...closed].map((one) => {
    const bytes = Buffer.from(independentCbor(one));
    return { bytes, hash: sha256(bytes) };
  });
}

/** What is called for, as far as the chain says it, with who is to be called. */
export interface StrangerEntry {
  readonly entry: Item;
  /** undefined where nobody is */
  readonly contract: string | undefined;
  readonly isLate: boolean;
}

/** Section 12: entries of operations and messages, by the contracts that take them. */
export function entriesOf(
  place: {
    readonly time_ms: number;
    contractOf(type: number): string | undefined;
    takerOf(service: number, name: string): string | undefined;
  },
  operations: readonly StrangerOperation[],
  messages: readonly StrangerMessage[],
): StrangerEntry[] {
  const asked = operations.map(({ leaf, type, until_s }): StrangerEntry => {
    const isLate = until_s !== undefined && place.time_ms > until_s * 1_000;
    return { entry: [0, leaf], contract: place.contractOf(type), isLate };
  });
  const told = messages.map(({ service, number, name }): StrangerEntry => {
    return { entry: [1, service, number], contract: place.takerOf(service, name), isLate: false };
  });
  return [...asked, ...told];
}

/**
 * Section 12: each entry has its outcome, in their order; behind those that are known stand deadlines alone, which are answered. Which
 * ones are due is in the chain's state.
 */
export function verifyOutcomes(
  entries: readonly StrangerEntry[],
  isInForce: (contract: string) => boolean,
  outcomes: Item | undefined,
): (readonly Item[])[] {
  const rows = list(outcomes).filter((row) => !isTold(list(row)));
  demand(rows.length >= entries.length, "entries and outcomes differ");
  for (const [index, entry] of entries.entries()) verifyOutcome(entry, list(rows[index]));
  return rows.slice(entries.length).map((item) => {
    const row = list(item);
    const due = list(row[0]);
    demand(due[0] === 3 && due.length === 4, "entries and outcomes differ");
    const contract = isInForce(String(due[2])) ? String(due[2]) : undefined;
    verifyOutcome({ entry: due, contract, isLate: false }, row);
    return due;
  });
}

function isTold([entry]: readonly Item[]): boolean {
  return list(entry)[0] === 4;
}

/** Section 12: behind all other outcomes stands what the rules tell the contracts chain, where the network has one. */
export function verifyTold(violations: readonly Item[], isThere: boolean, outcomes: Item | undefined): void {
  const rows = list(outcomes).map((row) => list(row));
  const told = isThere && violations.length > 0;
  demand(rows.findIndex(isTold) === (told ? rows.length - 1 : -1), "violations are told out of place, or not at all");
  if (!told) return;
  const [entry, kind, effects] = list(rows.at(-1), 3);
  demand(list(entry, 1).length === 1 && kind === 5, "violations have another outcome than told");
  const parts = Math.min(TOLD.messages, Math.ceil(violations.length / TOLD.rows));
  demand(list(effects).length === parts, "violations are told in another number of messages");
  for (const [part, effect] of list(effects).entries()) {
    const first = part * TOLD.rows;
    const said = violations.slice(first, first + TOLD.rows).map((violation): Item => {
      const [code, subject, number, detail] = list(violation, 4);
      const isSaid = code === 6;
      const rule = isSaid ? `${list(detail)[0]}/${list(detail)[1]}` : null;
      return [code!, hex(subject), isSaid ? null : number!, rule];
    });
    const [sort, name, body, service, , hops] = list(effect, 6);
    demand(sort === 2 && name === "violation" && service === 5 && hops === 0, "violations are told otherwise");
    same(bytesOf(body), independentCbor([first, said]), "violations as they are told");
  }
}

function verifyOutcome({ entry, contract, isLate }: StrangerEntry, row: readonly Item[]): void {
  same(independentCbor(row[0]!), independentCbor(entry), "entry of an outcome");
  if (contract === undefined) {
    demand(row.length === 2 && row[1] === 0, "an entry that no contract takes has another outcome");
    return;
  }
  if (isLate) {
    demand(row.length === 2 && row[1] === 4, "an operation that came too late has another outcome");
    return;
  }
  demand(row[1] === 1 || row[1] === 2 || row[1] === 3, "an entry that a contract takes has not run");
  demand(row.length === (row[1] === 2 ? 6 : 5) && row[2] === contract, "an outcome is of another contract");
  numberOf(row[3], SHARE.used);
  if (row[1] === 3) numberOf(row[4], 10, 1);
  else for (const effect of list(row[4])) checkEffect(effect);
  if (row[1] !== 2) return;
  demand(list(row[5]).length > 0, "a denial has no rule");
  for (const denial of list(row[5])) checkSaid(list(denial, 2));
}

/** Section 28: what the runs of a block for one kind of entry take of their budget and say is within their share. */
export function verifyShares(outcomes: Item | undefined, violations: readonly Item[]): void {
  const rows = list(outcomes).map((row) => list(row));
  const kindIn = (entry: Item | undefined) => Number(list(entry)[0]);
  for (const kind of new Set(rows.map(([entry]) => kindIn(entry)))) {
    const ran = rows.filter((row) => kindIn(row[0]) === kind && row.length > 3);
    const used = ran.reduce((sum, row) => sum + Number(row[3]), 0);
    const put = ran.reduce((sum, row) => sum + (row[1] === 3 ? 0 : list(row[4]).length), 0);
    const denied = ran.reduce((sum, row) => sum + (row[1] === 2 ? list(row[5]).length : 0), 0);
    const said = violations.filter((violation) => kindIn(list(violation, 4)[2]) === kind).length;
    demand(
      used <= SHARE.used && put + denied + said <= SHARE.said,
      "the runs for one kind of entry exceed their share",
    );
  }
}

/** Section 12: what contracts say against somebody, in the order of the entries that they ran for. */
export function verifySaid(violations: readonly Item[], outcomes: Item | undefined): void {
  const rows = list(outcomes).map((row) => list(row));
  const nameOf = (entry: Item | undefined) => hex(independentCbor(entry!));
  let before = 0;
  for (const violation of violations) {
    const [, subject, entry, detail] = list(violation, 4);
    const [contract, name, body] = list(detail, 3);
    bytesOf(subject, 8);
    checkSaid([name!, body!]);
    const isOf = (row: readonly Item[]) => nameOf(row[0]) === nameOf(entry) && row[2] === contract;
    const at = rows.findIndex((row) => isOf(row) && (row[1] === 1 || row[1] === 2));
    demand(at >= 0, "a violation is of no contract that ran for its entry");
    demand(at >= before, "violations are not in the order of their entries");
    before = at;
  }
}

function checkEffect(item: Item): void {
  const [sort, name, body, service, number] = list(item);
  demand(sort === 1 || sort === 2, "an effect is of no kind");
  demand(list(item).length === (sort === 2 ? 6 : 3), "an effect has items too many or too few");
  checkSaid([name!, body!]);
  if (sort !== 2) return;
  numberOf(service, bounds.service, 1);
  numberOf(number, bounds.message);
  numberOf(list(item)[5], bounds.hops);
  demand(bytesOf(body).length <= sizes.messageBody, "a message's body is too long");
}

function checkSaid([name, body]: readonly Item[]): void {
  demand(typeof name === "string" && /^[a-z][a-z0-9-]{0,63}$/.test(name), "what a contract says has no name");
  independentDecode(bytesOf(body));
}

/** Leaves behind the records are not too many. */
export function countedEffects(outcomes: Item | undefined, effects: readonly StrangerEffect[]): number {
  listUpTo(outcomes, counts.runs);
  demand(effects.length <= counts.effects, "block has effects too many");
  return effects.length;
}

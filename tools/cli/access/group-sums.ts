// Sums over a group, as f + 1 custodians have worked them out alike: each is signed, and none is believed alone. Who has signed another
// one is named.

import { setTimeout as pause } from "node:timers/promises";
import {
  AGGREGATE_SLOTS_MAX,
  type Aggregate,
  aggregateInfo,
  isSameAggregate,
  verifyAggregate,
} from "../../../src/wire/aggregate.js";
import { fromHex, toHex } from "../../../src/wire/bytes.js";
import { DAY_S } from "../../../src/wire/envelope.js";
import type { Genesis, MemberKey } from "../../../src/wire/genesis.js";
import { memberSets } from "../../../src/wire/lineage.js";
import { faults } from "../../../src/wire/quorum.js";
import { type DeliveryKeys, openWith } from "../../crypto/hpke.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { GridsealError, reasonOf } from "../../errors.js";
import type { GroupGrantSource, StatedGroupGrant } from "../../sources/group-grants.js";

/** Nodes are asked again after so long, while they work. */
const AGAIN_MS = 1_000;
const PATIENCE_MS = 600_000;
/** Days of a grant that are asked for: a node that states more of them is not believed. */
const DAYS_MAX = 4_000;

/** A custodian that has the grant in force. */
export interface Computing {
  readonly source: GroupGrantSource;
  readonly grant: StatedGroupGrant;
}

export interface SumsTerms {
  readonly genesis: Genesis;
  readonly keys: DeliveryKeys;
  readonly service: number;
  readonly request: string;
  readonly lineage: readonly Uint8Array[];
}

/** Sums that f + 1 custodians have signed alike. */
export interface AgreedSums {
  readonly sums: Aggregate;
  /** as each of them has signed it */
  readonly signed: readonly Uint8Array[];
}

/**
 * The sums of all slots that are to be had, by their begin. Complaints name whom they are about. Rejects with GRANT_CLOSED where fewer
 * than f + 1 of the nodes come to the same.
 */
export async function* agreedSums(
  terms: SumsTerms,
  nodes: readonly Computing[],
  complaints: string[],
): AsyncGenerator<AgreedSums> {
  const { genesis, service, lineage } = terms;
  const members = memberSets(genesis, service, lineage, nodeVerify).at(-1)?.members ?? [];
  const needed = faults(members.length) + 1;
  const working = nodes.filter(({ grant: { custodian, computing } }) => computing.includes(custodian));
  if (working.length < needed) {
    const who = nodes[0]!.grant.computing.join(", ");
    throw closed(`${working.length} of the nodes work for ${terms.request}, and ${needed} must: ask ${who}`);
  }
  const { from, until, slot_s, lateness_s } = working[0]!.grant;
  // One of so many is right, and no one that lies makes the others wait.
  const head_s = working.map(({ grant }) => grant.head_s).sort((one, other) => other - one)[needed - 1]!;
  const ready_s = Math.floor((head_s - lateness_s) / slot_s) * slot_s;
  if (until - from > DAYS_MAX) throw closed(`the grant states more than ${DAYS_MAX} days: no contract grants them`);
  for (const [from_s, until_s] of rangesOf({ from, until, slot_s }, ready_s)) {
    yield await agreed({ ...terms, members, needed, from_s, until_s, slot_s }, working, complaints);
  }
}

/** Runs of slots, each of one day and no longer than one answer, up to where all records have come. */
export function* rangesOf(
  { from, until, slot_s }: Pick<StatedGroupGrant, "from" | "until" | "slot_s">,
  ready_s: number,
): Generator<readonly [from_s: number, until_s: number]> {
  for (let at = from * DAY_S; at < Math.min(until * DAY_S, ready_s); ) {
    const endOfDay = (Math.floor(at / DAY_S) + 1) * DAY_S;
    const end = Math.min(endOfDay, ready_s, at + AGGREGATE_SLOTS_MAX * slot_s);
    yield [at, end];
    at = end;
  }
}

interface RangeTerms extends SumsTerms {
  readonly members: readonly MemberKey[];
  readonly needed: number;
  readonly from_s: number;
  readonly until_s: number;
  readonly slot_s: number;
}

interface Signed {
  readonly sums: Aggregate;
  readonly bytes: Uint8Array;
}

/** Asks until enough have come to the same. */
async function agreed(terms: RangeTerms, working: readonly Computing[], complaints: string[]): Promise<AgreedSums> {
  const { needed, from_s, until_s } = terms;
  const found: Signed[] = [];
  const until_ms = performance.now() + PATIENCE_MS;
  let left = [...working];
  for (;;) {
    const waiting: Computing[] = [];
    let said = "";
    await Promise.all(
      left.map(async (node) => {
        try {
          const answer = await node.source.sums(from_s, until_s);
          if (answer.type === "sums") return void found.push(opened(terms, node.grant.custodian, answer.sealed));
          said = answer.message;
          if (answer.type === "waiting") waiting.push(node);
          else complaints.push(`${node.source.origin}: ${answer.message}`);
        } catch (error) {
          complaints.push(reasonOf(error));
        }
      }),
    );
    const alike = alikeIn(found, needed);
    if (alike !== undefined) {
      for (const { sums } of found.filter((each) => !alike.includes(each))) {
        complaints.push(`node ${toHex(sums.node)} has signed other sums than ${needed} others`);
      }
      return { sums: alike[0]!.sums, signed: alike.map(({ bytes }) => bytes) };
    }
    left = waiting;
    const isLost = left.length === 0 || found.length + left.length < needed;
    if (isLost || performance.now() > until_ms) {
      const why = said === "" ? (complaints.at(-1) ?? "they differ") : said;
      throw closed(`fewer than ${needed} custodians have come to the same sums from ${from_s} s on: ${why}`);
    }
    await pause(AGAIN_MS);
  }
}

/** Throws where it is not what this custodian has signed for these slots. */
function opened(terms: RangeTerms, custodian: string, sealed: Parameters<typeof openWith>[2]): Signed {
  const { genesis, keys, members, service, request, from_s, until_s, slot_s } = terms;
  const node = fromHex(custodian)!;
  const bytes = openWith(keys, aggregateInfo(node, request, from_s), sealed);
  if (bytes === undefined) throw new Error(`node ${custodian} delivers sums that are not sealed to this key`);
  const keyOf = (id: Uint8Array) => members.find((member) => toHex(member.id) === toHex(id))?.key;
  const sums = verifyAggregate(genesis.hash, bytes, keyOf, nodeVerify);
  const isOwn = toHex(sums.node) === custodian && sums.chain === service && sums.request === request;
  const isRange = sums.from_s === from_s && sums.slot_s === slot_s;
  if (isOwn && isRange && sums.slots.length === (until_s - from_s) / slot_s) return { sums, bytes };
  throw new Error(`node ${custodian} delivers sums of something else`);
}

function alikeIn(found: readonly Signed[], needed: number): readonly Signed[] | undefined {
  for (const { sums } of found) {
    const alike = found.filter((other) => isSameAggregate(sums, other.sums));
    if (alike.length >= needed) return alike;
  }
  return undefined;
}

function closed(what: string): GridsealError {
  return new GridsealError("GRANT_CLOSED", what);
}

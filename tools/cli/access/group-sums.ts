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
/** Where enough have come to the same, others have so long to say something else. */
const OTHERS_MS = 1_000;
const PATIENCE_MS = 600_000;
/** Once slots did not come, others are not waited for as long. */
const IMPATIENCE_MS = 60_000;
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

/** What is believed of a grant where f + 1 custodians state it alike. */
const termNames = ["group", "register", "unit", "from", "until", "slot_s", "lateness_s"] as const;
export type AgreedGrant = Pick<StatedGroupGrant, (typeof termNames)[number]>;

/** Sums that f + 1 custodians have signed alike. */
export interface AgreedSums {
  readonly grant: AgreedGrant;
  readonly sums: Aggregate;
  /** as each of them has signed it */
  readonly signed: readonly Uint8Array[];
}

/**
 * The sums of all slots that are to be had, by their begin; without the days of which f + 1 say that they are erased, and without what fewer
 * than f + 1 come to alike. Complaints name whom or what they are about. Rejects with GRANT_CLOSED where nothing is to be had of them.
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
  const count = custodiansOf(working).size;
  if (count < needed) {
    const who = nodes[0]!.grant.computing.join(", ");
    throw closed(`${count} of the nodes work for ${terms.request}, and ${needed} must: ask ${who}`);
  }
  const grant = agreedGrant(terms.request, nodes, needed, complaints);
  const { from, until, slot_s, lateness_s } = grant;
  // One of so many is right, and no one that lies makes the others wait.
  const head_s = working.map(({ grant }) => grant.head_s).sort((one, other) => other - one)[needed - 1]!;
  const ready_s = Math.floor((head_s - lateness_s) / slot_s) * slot_s;
  if (until - from > DAYS_MAX) throw closed(`the grant states more than ${DAYS_MAX} days: no contract grants them`);
  let patience_ms = PATIENCE_MS;
  let hasSums = false;
  let first: GridsealError | undefined;
  for (const [from_s, until_s] of rangesOf({ from, until, slot_s }, ready_s)) {
    try {
      const sums = await agreed(
        { ...terms, members, needed, from_s, until_s, slot_s, patience_ms },
        working,
        complaints,
      );
      if (sums === undefined) continue;
      hasSums = true;
      yield { grant, ...sums };
    } catch (error) {
      if (!(error instanceof GridsealError && error.code === "GRANT_CLOSED")) throw error;
      first ??= error;
      complaints.push(error.message);
      patience_ms = IMPATIENCE_MS;
    }
  }
  if (first !== undefined && !hasSums) throw first;
}

/** Those nodes that have a grant of sums in force: one that says it is another one takes nobody's place. */
export async function computingAt(sources: readonly GroupGrantSource[]): Promise<readonly Computing[]> {
  // A node that is not reached is told of where the others have no such grant either.
  const grants = await Promise.all(sources.map((source) => source.grant().catch(() => undefined)));
  return sources.flatMap((source, at) => {
    const grant = grants[at];
    return grant === undefined ? [] : [{ source, grant }];
  });
}

/** A node may say that it is another one: both are asked, and count as one. */
function custodiansOf(nodes: readonly Computing[]): ReadonlySet<string> {
  return new Set(nodes.map(({ grant: { custodian } }) => custodian));
}

/** What f + 1 custodians state alike. */
function agreedGrant(request: string, nodes: readonly Computing[], needed: number, complaints: string[]): AgreedGrant {
  const differing = (one: AgreedGrant, other: AgreedGrant) => termNames.filter((name) => one[name] !== other[name]);
  const isAgreed = ({ grant }: Computing) =>
    custodiansOf(nodes.filter((other) => differing(grant, other.grant).length === 0)).size >= needed;
  const agreed = nodes.find(isAgreed)?.grant;
  if (agreed === undefined) {
    const all = new Set(nodes.flatMap(({ grant }) => differing(grant, nodes[0]!.grant)));
    const names = termNames.filter((name) => all.has(name)).join(", ");
    throw closed(`fewer than ${needed} custodians state the same grant ${request}: they differ in ${names}`);
  }
  for (const { source, grant } of nodes) {
    const names = differing(grant, agreed);
    if (names.length === 0) continue;
    const said = names.map((name) => `${name} ${grant[name]}`).join(", ");
    complaints.push(`${source.origin} states another grant than ${needed} others: ${said}`);
  }
  return agreed;
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
  readonly patience_ms: number;
}

interface Signed {
  readonly sums: Aggregate;
  readonly bytes: Uint8Array;
}

/** Asks each until enough have come to the same: one that sleeps holds nobody up. */
async function agreed(
  terms: RangeTerms,
  working: readonly Computing[],
  complaints: string[],
): Promise<Omit<AgreedSums, "grant"> | undefined> {
  const { needed, from_s, until_s, patience_ms } = terms;
  const found: Signed[] = [];
  /** who says that they are withheld */
  const withheld: Computing[] = [];
  const left = new Set(working);
  const over = new AbortController();
  const { signal } = over;
  let said = "";
  const ask = async ({ source, grant }: Computing): Promise<void> => {
    for (;;) {
      const answer = await source.sums(from_s, until_s);
      if (signal.aborted) return;
      if (answer.type === "sums") return void found.push(opened(terms, grant.custodian, answer.sealed));
      if (answer.type === "withheld") withheld.push({ source, grant });
      said = answer.message;
      const comesLater = answer.type === "waiting" || answer.type === "busy";
      if (!comesLater) return void complaints.push(`${source.origin}: ${answer.message}`);
      await pause(AGAIN_MS, undefined, { signal });
    }
  };
  const isLost = () =>
    new Set([...found.map(({ sums }) => toHex(sums.node)), ...custodiansOf([...left])]).size < needed;
  const decided = new Promise<void>((resolve) => {
    const onAnswer = async (node: Computing) => {
      try {
        await ask(node);
      } catch (error) {
        if (!signal.aborted) complaints.push(reasonOf(error));
      }
      left.delete(node);
      if (left.size === 0 || isLost()) return resolve();
      if (alikeIn(found, needed) !== undefined) pause(OTHERS_MS, undefined, { signal }).then(resolve, resolve);
    };
    for (const node of working) void onAnswer(node);
    pause(patience_ms, undefined, { signal }).then(resolve, resolve);
  });
  await decided;
  over.abort();
  const alike = alikeIn(found, needed);
  if (alike === undefined && custodiansOf(withheld).size >= needed) return undefined;
  if (alike === undefined) {
    const why = said === "" ? (complaints.at(-1) ?? "they differ") : said;
    throw closed(`fewer than ${needed} custodians have come to the same sums from ${from_s} s on: ${why}`);
  }
  for (const { sums } of found.filter((each) => !isSameAggregate(each.sums, alike[0]!.sums))) {
    complaints.push(`node ${toHex(sums.node)} has signed other sums than ${needed} others`);
  }
  return { sums: alike[0]!.sums, signed: alike.map(({ bytes }) => bytes) };
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

/** Of each custodian one. */
function alikeIn(found: readonly Signed[], needed: number): readonly Signed[] | undefined {
  for (const { sums } of found) {
    const same = found.filter((other) => isSameAggregate(sums, other.sums));
    const alike = new Map(same.map((each) => [toHex(each.sums.node), each]));
    if (alike.size >= needed) return [...alike.values()];
  }
  return undefined;
}

function closed(what: string): GridsealError {
  return new GridsealError("GRANT_CLOSED", what);
}

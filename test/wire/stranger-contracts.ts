// What the stranger makes of orders about contracts: sections 22 and 28 of PROTOCOL.md. It imports neither src nor tools.

import { type Item, independentCbor, independentDecode } from "./independent-cbor.js";
import { bounds, counts, sizes } from "./stranger-bounds.js";
import { ascending, quorum, type StrangerMember } from "./stranger-genesis.js";
import { bytesOf, demand, hex, list, listUpTo, mapOf, numberOf, readKey, sha256, verifies } from "./stranger-proof.js";
import type { StrangerPlan } from "./stranger-slots.js";

/** The engines of section 28, each with what it runs before a contract. */
const ENGINES: readonly (readonly [string, string])[] = [
  [
    "01f70a4f5504c1b7decd5f73832dbb7490cd041a4908d67dd3aaec5f2955a011",
    "c8a2b7be2afe8221b13b5d3ab2a6d5ed0ea75b689f58fd476c5477cc43ae9d5c",
  ],
];

interface Installed {
  readonly at: number;
  readonly from: number;
  readonly version: number;
  /** name, version, source hash, parameters hash, budget, pages, output: as the script has it, but for the parameters */
  readonly row: readonly Item[];
  readonly engine: readonly Item[];
  readonly types: readonly number[];
  readonly messages: readonly Kind[];
  readonly plan: StrangerPlan | undefined;
}

/** A chain, 0 for any, and what a message is called. */
type Kind = readonly [service: number, name: string];

/** Of one name on one chain, in the order of the orders; null where it was retired. */
type Versions = { readonly at: number; readonly from: number; readonly what: Installed | null }[];

/** What orders have made of contracts. */
export interface StrangerContracts {
  readonly sources: Set<string>;
  /** by chain and name */
  readonly versions: Map<string, Versions>;
  /** by chain, name and jurisdiction, which is empty where there is none */
  readonly parameters: Map<string, { readonly at: number; readonly from: number; readonly values: Item }[]>;
}

export const noContracts = (): StrangerContracts => ({
  sources: new Set(),
  versions: new Map(),
  parameters: new Map(),
});

/** Takes an order apart from the source that it may come with, which its action has to name. */
export function withoutSource(bytes: Uint8Array): { readonly order: Uint8Array; readonly source?: string } {
  if (bytes[0] !== 0x82) return { order: bytes };
  const [order, source] = list(independentDecode(bytes), 2);
  demand(typeof source === "string" && Buffer.byteLength(source) <= sizes.source, "order's source is none");
  return { order: bytesOf(order), source: String(source) };
}

/** What contracts are ordered in: members of a chain by the orders so far, undefined where there is none. */
export interface StrangerNetwork {
  readonly genesis: Uint8Array;
  membersOf(service: number): readonly StrangerMember[] | undefined;
}

/** Section 22: actions 9 to 11 in the contracts block of this height. */
export function takeContractOrder(
  contracts: StrangerContracts,
  { genesis, membersOf }: StrangerNetwork,
  action: readonly Item[],
  at: number,
  source: string | undefined,
): void {
  const service = numberOf(action[1], bounds.service, 1);
  const members = membersOf(service);
  demand(members !== undefined, "order is for no chain");
  numberOf(action.at(-1), bounds.height, 1);
  if (source !== undefined) {
    const named = action[0] === 9 && hex(action[4]) === sha256(Buffer.from(source)).toString("hex");
    demand(named, "order comes with a source that it does not name");
    contracts.sources.add(hex(action[4]));
  }
  if (action[0] === 9) {
    demandTried(genesis, members!, action);
    install(contracts, service, action, at);
  }
  if (action[0] === 10) setParameters(contracts, service, action, at);
  if (action[0] === 11) retire(contracts, service, action, at);
}

/** READY of a quorum of the chain's members, each over what it has tried. */
function demandTried(genesis: Uint8Array, members: readonly StrangerMember[], action: readonly Item[]): void {
  const fields = list(action, 16);
  const ready = listUpTo(fields[14], bounds.nodes).map((item) => list(item, 2));
  const tried = independentCbor(fields.map((field, place) => (place === 14 ? [] : field)));
  let before = "";
  for (const [item, signature] of ready) {
    const key = readKey(item);
    const member = members.find(({ id }) => id === key.id);
    demand(member !== undefined && key.id > before, "READY is of no member, or of one twice");
    before = key.id;
    const message = independentCbor(["gs1/tried", genesis, Buffer.from(key.id, "hex"), tried]);
    demand(verifies(key, message, bytesOf(signature, 64)), "READY is not its node's");
  }
  demand(ready.length >= quorum(members), "order has READY of too few members");
}

function install(contracts: StrangerContracts, service: number, action: readonly Item[], at: number): void {
  const [, , name, version, source, engine, prelude, budget, pages, output, ...rest] = list(action, 16);
  const [items, told, slots, vectors, , height] = rest;
  const known = ENGINES.some(([own, before]) => own === hex(engine) && before === hex(prelude));
  demand(known, "order's engine is not known");
  demand(contracts.sources.has(hex(bytesOf(source, 32))), "order's source is not on the chain");
  bytesOf(vectors, 32);
  numberOf(budget, 1_000, 1);
  numberOf(pages, 1_024, 16);
  numberOf(output, 262_144);
  const types = listUpTo(items, 64).map((type) => numberOf(type, 65_535, 1));
  demand(ascending(types, -1), "order's types are not in ascending order");
  const messages = messagesOf(told);
  const plan = slots === null ? undefined : readPlan(slots);
  const from = numberOf(height, bounds.height, 1);
  const own = versionsOf(contracts, service, name);
  const number = numberOf(version, bounds.word, 1);
  demand(
    own.every(({ what }) => (what?.version ?? 0) < number),
    "order's version does not go up",
  );
  demand((own.at(-1)?.from ?? 0) < from, "order's height is not above the one before");
  const rivals = new Set<string>();
  const asking = new Set<string>();
  for (const [key, others] of contracts.versions) {
    if (others === own || !key.startsWith(`${service}/`)) continue;
    const current = others.findLastIndex((other) => other.from <= from);
    for (const { what } of others.slice(Math.max(0, current))) {
      if (what === null) continue;
      demand(!types.some((type) => what.types.includes(type)), "order's type is another contract's");
      const isBoth = ([service, name]: Kind) =>
        what.messages.some(([other, own]) => own === name && (other === service || other === 0 || service === 0));
      demand(!messages.some(isBoth), "order's messages are another contract's");
      if (what.plan !== undefined) asking.add(key);
      const isOne = plan === undefined || what.plan === undefined || samePlan(plan, what.plan);
      demand(isOne, "order's slots are not those of the chain's other contracts");
      rivals.add(key);
    }
  }
  demand(plan === undefined || asking.size < 16, "order is for a contract too many that asks for slots");
  demand(rivals.size < counts.contracts, "order is for a contract too many");
  const row = [name!, version!, source!, null, budget!, pages!, output!];
  own.push({ at, from, what: { at, from, version: number, row, engine: [engine!, prelude!], types, messages, plan } });
}

/** Strictly ascending by chain, then by the bytes of the name. */
function messagesOf(item: Item | undefined): Kind[] {
  const kinds = listUpTo(item, 64).map((kind): Kind => {
    const [service, name] = list(kind, 2);
    demand(typeof name === "string" && /^[a-z][a-z0-9-]{0,63}$/.test(name), "order's messages have no name");
    return [numberOf(service, bounds.service), String(name)];
  });
  const isBehind = (one: Kind, other: Kind) => one[0] > other[0] || (one[0] === other[0] && one[1] > other[1]);
  demand(
    kinds.every((kind, index) => index === 0 || isBehind(kind, kinds[index - 1]!)),
    "order's messages are not in ascending order",
  );
  return kinds;
}

function readPlan(item: Item | undefined): StrangerPlan {
  const [slot, late, gap] = list(item, 3);
  const slot_s = numberOf(slot, 86_400, 1);
  return { slot_s, late_s: numberOf(late, 96 * slot_s), gap_s: numberOf(gap, 2_678_400) };
}

function samePlan(one: StrangerPlan, other: StrangerPlan): boolean {
  return one.slot_s === other.slot_s && one.late_s === other.late_s && one.gap_s === other.gap_s;
}

/** Section 29: how the chain settles at a place, and the contracts that ask for it, by their names. */
export function settledAt(
  contracts: StrangerContracts,
  place: { readonly service: number; readonly height: number; readonly judgedAt: number },
): { readonly plan: StrangerPlan | undefined; readonly asking: readonly string[] } {
  const asking = installedAt(contracts, place).filter(({ plan }) => plan !== undefined);
  return { plan: asking[0]?.plan, asking: asking.map(({ row }) => String(row[0])).sort() };
}

function setParameters(contracts: StrangerContracts, service: number, action: readonly Item[], at: number): void {
  const [, , name, jurisdiction, values, height] = list(action, 6);
  demand(
    versionsOf(contracts, service, name).some(({ what }) => what !== null),
    "order sets parameters of no contract",
  );
  const isCode = typeof jurisdiction === "string" && /^[A-Z][A-Z](-[A-Z0-9]{1,3})?$/.test(jurisdiction);
  demand(jurisdiction === null || isCode, "order's jurisdiction is no code");
  demand(mapOf(values).size <= 64, "order sets parameters too many");
  for (const [parameter, value] of mapOf(values)) {
    demand(typeof parameter === "string" && parameter.length >= 1 && parameter.length <= 64, "a parameter has no name");
    const isValue = typeof value === "boolean" || typeof value === "number" || typeof value === "bigint";
    demand(isValue || (typeof value === "string" && value.length <= 256), "a parameter has no value");
  }
  const prefix = `${service}/${name}/`;
  const key = `${prefix}${jurisdiction ?? ""}`;
  const before = contracts.parameters.get(key) ?? [];
  const from = numberOf(height, bounds.height, 1);
  demand((before.at(-1)?.from ?? 0) < from, "order's height is not above the one before");
  const others = [...contracts.parameters.keys()].filter((other) => other.startsWith(prefix));
  demand(before.length > 0 || others.length < 256, "order is for a jurisdiction too many");
  contracts.parameters.set(key, [...before, { at, from, values: values! }]);
}

function retire(contracts: StrangerContracts, service: number, action: readonly Item[], at: number): void {
  const [, , name, height] = list(action, 4);
  const own = versionsOf(contracts, service, name);
  const last = own.at(-1);
  demand(last !== undefined && last.what !== null, "order retires no contract");
  const from = numberOf(height, bounds.height, 1);
  demand(from > last!.from, "order's height is not above the one before");
  own.push({ at, from, what: null });
}

function versionsOf({ versions }: StrangerContracts, service: number, name: Item | undefined): Versions {
  demand(typeof name === "string" && /^[a-z][a-z0-9-]{0,31}$/.test(name), "a contract has no name");
  const key = `${service}/${name}`;
  const own = versions.get(key) ?? [];
  versions.set(key, own);
  return own;
}

/** Section 28: the contract that takes operations of a type. */
export function contractOf(
  contracts: StrangerContracts,
  place: { readonly service: number; readonly height: number; readonly judgedAt: number },
  type: number,
): string | undefined {
  const taking = installedAt(contracts, place).find(({ types }) => types.includes(type));
  return taking === undefined ? undefined : String(taking.row[0]);
}

/** Section 28: the contract that takes messages of a name from a chain. */
export function takerOf(
  contracts: StrangerContracts,
  place: { readonly service: number; readonly height: number; readonly judgedAt: number },
  from: number,
  name: string,
): string | undefined {
  const takes = ({ messages }: Installed) =>
    messages.some(([service, own]) => own === name && (service === 0 || service === from));
  const taking = installedAt(contracts, place).find(takes);
  return taking === undefined ? undefined : String(taking.row[0]);
}

/** Section 28: whether a contract of this name is in force. */
export function isInForce(
  contracts: StrangerContracts,
  place: { readonly service: number; readonly height: number; readonly judgedAt: number },
  name: string,
): boolean {
  return installedAt(contracts, place).some(({ row }) => row[0] === name);
}

function installedAt(
  contracts: StrangerContracts,
  { service, height, judgedAt }: { readonly service: number; readonly height: number; readonly judgedAt: number },
): Installed[] {
  return [...contracts.versions].flatMap(([key, own]) => {
    const last = own.findLast(({ at, from }) => at <= judgedAt && from <= height);
    return key.startsWith(`${service}/`) && last !== undefined && last.what !== null ? [last.what] : [];
  });
}

/** Section 28: the script of a block at this place. */
export function scriptOf(contracts: StrangerContracts, service: number, height: number, judgedAt: number): Buffer {
  const counts = ({ at, from }: { readonly at: number; readonly from: number }) => at <= judgedAt && from <= height;
  const inForce = installedAt(contracts, { service, height, judgedAt });
  const rows = inForce.sort((one, other) => (String(one.row[0]) < String(other.row[0]) ? -1 : 1));
  const [engine, prelude] = rows[0]?.engine ?? [Buffer.alloc(0), Buffer.alloc(0)];
  const listed = rows.map(({ row }): Item => {
    const prefix = `${service}/${row[0]}/`;
    const sets = [...contracts.parameters].flatMap(([key, own]): readonly (readonly [string, Item])[] => {
      const set = key.startsWith(prefix) ? own.findLast(counts) : undefined;
      return set === undefined ? [] : [[key.slice(prefix.length), set.values]];
    });
    const ordered = sets.sort(([one], [other]) => (one < other ? -1 : 1));
    const hash = sha256(independentCbor(ordered.map(([code, values]): Item => [code === "" ? null : code, values])));
    return row.map((item, index) => (index === 3 ? hash : item));
  });
  return independentCbor(["gs1/rules/2", engine!, prelude!, listed]);
}

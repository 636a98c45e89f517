// The rules gs1/rules/2 a second time: section 12 and steps 8 to 13 of section 18 of PROTOCOL.md. It imports neither src nor tools.

import { type Item, independentCbor, independentDecode } from "./independent-cbor.js";
import { bounds, counts, sizes } from "./stranger-bounds.js";
import { contractOf, isInForce, settledAt, takerOf } from "./stranger-contracts.js";
import { issuerOf, proveFalseWord } from "./stranger-disproof.js";
import { ascending, quorum, type StrangerChain, type StrangerGenesis } from "./stranger-genesis.js";
import { checkDue, countSent, type StrangerLanes, takeMessages } from "./stranger-messages.js";
import { CONTRACTS, proveEquivocation, type StrangerOrders, standsGood, takeOrder } from "./stranger-orders.js";
import {
  entriesOf,
  type StrangerOperation,
  verifyOutcomes,
  verifySaid,
  verifyShares,
  verifyTold,
} from "./stranger-outcomes.js";
import {
  bytesOf,
  demand,
  hex,
  list,
  listUpTo,
  mapOf,
  numberOf,
  readKey,
  readSign1,
  type StrangerKey,
  sha256,
  signed,
  verifies,
} from "./stranger-proof.js";
import { readRecordForm } from "./stranger-record.js";
import { type StrangerClosing, type StrangerSettlement, settleBlock } from "./stranger-slots.js";

/** A record that the chain proves. */
export interface StrangerRecord {
  readonly height: number;
  readonly leaf: number;
  readonly meter: string;
  /** the issued ID that its credential names */
  readonly subject: string;
  readonly seq: number;
  readonly hash: string;
  readonly claims: ReadonlyMap<number, Item>;
}

interface MeterOnChain {
  readonly key: StrangerKey;
  readonly subject: string;
  readonly services: readonly number[];
  /** whether it may sign readings, and operations */
  readonly measures: boolean;
  readonly asks: boolean;
  /** its newest credential is valid from and until, in seconds, and says these services and roles */
  term: readonly [from: number, until: number];
  readonly said: string;
  high: number;
  head: Buffer;
  gaps: (readonly [number, number])[];
  forks: number[];
  readonly hashes: Map<number, Buffer>;
}

interface ParsedRecord {
  readonly bytes: Uint8Array;
  readonly hash: Buffer;
  readonly meter: string;
  readonly seq: number;
  readonly claims: ReadonlyMap<number, Item>;
}

/** What a chain has come to, up to the block before. */
export interface RulesState {
  height: number;
  judgedAt: number;
  /** of the block */
  time_ms: number;
  readonly orders: StrangerOrders;
  /** heights of recorded equivocations by node */
  readonly faults: Map<string, Set<number>>;
  /** nodes whose word on a temporary block is recorded to be false */
  readonly falseWords: Set<string>;
  readonly meters: Map<string, MeterOnChain>;
  /** temporary blocks by original node: all numbers below `next` are sealed or closed, and those in `beyond` */
  readonly batches: Map<string, { next: number; readonly beyond: Set<number> }>;
  readonly records: StrangerRecord[];
  readonly lanes: StrangerLanes;
  readonly settlement: StrangerSettlement;
}

/** What the rules come to in a block. */
export interface RulesFound {
  readonly violations: Item[];
  readonly closing: StrangerClosing;
}

const WINDOW = 1_024;
const FAULTS_MAX = 8;

/** The violations and closed slots of a block whose temporary blocks these are, which the state then has; throws where a rule is broken. */
export function runRules(
  genesis: StrangerGenesis,
  chain: StrangerChain,
  state: RulesState,
  batches: readonly (readonly Item[])[],
  results: Uint8Array,
): RulesFound {
  const [stated, outcomes] = list(independentDecode(results), 3);
  const readings: { meter: string; seq: number; claims: ReadonlyMap<number, Item> }[] = [];
  const violations: Item[] = [];
  const operations: StrangerOperation[] = [];
  const told: Uint8Array[] = [];
  const due: Uint8Array[] = [];
  let leaf = 0;
  for (const [origin, number, id, acknowledgements, notices, records] of batches) {
    demand(
      chain.members.some((member) => member.id === hex(origin)),
      "original node is no member of the chain",
    );
    bytesOf(id, 32);
    takeNumber(state, hex(origin), numberOf(number, bounds.temporaryBlock));
    verifyAcceptance(genesis, chain, [origin!, number!, id!], listUpTo(acknowledgements, bounds.nodes));
    const kinds = list(notices).map((notice) => list(notice, 2)[0]);
    demand(kinds.filter((kind) => kind === 1).length <= counts.recordsInOne, "there are credentials too many");
    demand(kinds.filter((kind) => kind !== 1).length <= counts.notices, "there are notices too many");
    for (const notice of list(notices)) {
      const [kind, bytes] = list(notice, 2);
      if (kind === 2 && chain.service === CONTRACTS) {
        takeOrder(state.orders, genesis, bytesOf(bytes), state.height);
        continue;
      }
      if (kind === 4 || kind === 5) {
        (kind === 4 ? told : due).push(bytesOf(bytes));
        continue;
      }
      demand(kind === 1, "a notice is of no kind that stays");
      bringMeter(genesis, state, { service: chain.service, bytes: bytesOf(bytes) });
    }
    for (const item of listUpTo(records, counts.recordsInOne)) {
      leaf += 1;
      const record = readRecord(chain, state, bytesOf(item));
      const isGood = standsGood(state.orders, record.meter, chain.service, record.seq, state.judgedAt);
      demand(isGood, "record's meter is revoked, suspended or ended");
      const meter = state.meters.get(record.meter)!;
      const [from, until] = meter.term;
      const isTimely = state.time_ms >= from * 1_000 && state.time_ms < until * 1_000;
      demand(isTimely, "record's meter has no credential that is valid at the block's time");
      violations.push(...sealRecord(meter, record));
      const { hash, seq, claims } = record;
      const asked = claims.has(16) ? list(claims.get(16)) : undefined;
      if (asked !== undefined) {
        const until_s = asked.length === 3 ? Number(asked[2]) : undefined;
        operations.push({ leaf, type: Number(asked[0]), until_s });
      }
      if (asked === undefined) readings.push({ meter: record.meter, seq, claims });
      const place = { height: state.height, leaf, meter: record.meter, subject: meter.subject };
      state.records.push({ ...place, seq, hash: hash.toString("hex"), claims });
    }
  }
  const noted = new Set<string>();
  for (const result of list(stated)) {
    const [kind, kid, seq, detail] = list(result, 4);
    if (kind !== 2) continue;
    const fork = readRecord(chain, state, bytesOf(detail));
    const meter = state.meters.get(fork.meter)!;
    const sealed = meter.hashes.get(fork.seq);
    demand(hex(kid) === fork.meter && seq === fork.seq, "fork is of another record");
    demand(sealed !== undefined && !sealed.equals(fork.hash), "fork is of no sealed record");
    demand(!noted.has(fork.meter) && !meter.forks.includes(fork.seq), "fork is counted twice");
    demand(meter.forks.length < 8, "fork is the ninth of its meter");
    noted.add(fork.meter);
    meter.forks.push(fork.seq);
    violations.push(result);
  }
  for (const result of list(stated)) {
    const [kind, node, height, evidence] = list(result, 4);
    if (kind === 5) {
      const place = { orders: state.orders, genesis, service: chain.service, judgedAt: state.judgedAt };
      demand(proveFalseWord(place, hex(node), bytesOf(evidence)) === height, "disproof is of another temporary block");
      demand(!state.falseWords.has(hex(node)), "a node's false word is counted twice");
      state.falseWords.add(hex(node));
      violations.push(result);
    }
    if (kind !== 4) continue;
    const proved = proveEquivocation(
      state.orders,
      genesis.hash,
      chain.service,
      hex(node),
      bytesOf(evidence),
      state.judgedAt,
    );
    const faults = state.faults.get(hex(node)) ?? new Set<number>();
    demand(proved === height && proved <= state.height, "evidence is of another height");
    demand(!faults.has(proved) && faults.size < FAULTS_MAX, "equivocation is counted twice or too often");
    state.faults.set(hex(node), faults.add(proved));
    violations.push(result);
  }
  const said = list(stated).filter((result) => list(result, 4)[0] === 6);
  const { time_ms, height, judgedAt } = state;
  const place = { service: chain.service, height, judgedAt };
  const { contracts, assignments } = state.orders;
  demand(operations.length <= counts.operations, "block has operations too many");
  const messages = takeMessages({ genesis, ...place, orders: state.orders, lanes: state.lanes }, told);
  const runs = list(outcomes).filter((row) => list(list(row)[0])[0] === 2).length;
  const settled = { height, time_ms, judgedAt, ...settledAt(contracts, place), assignments, readings, runs };
  const closing = settleBlock(state.settlement, settled);
  const taking = {
    time_ms,
    contractOf: (type: number) => contractOf(contracts, place, type),
    takerOf: (from: number, name: string) => takerOf(contracts, place, from, name),
  };
  const shown = closing.entries.map((entry) => ({ ...entry, isLate: false }));
  const entries = [...entriesOf(taking, operations, messages), ...shown];
  const passed = verifyOutcomes(entries, (name) => isInForce(contracts, place, name), outcomes);
  checkDue(passed, time_ms, due);
  countSent(state.lanes, list(outcomes));
  verifySaid(said, outcomes);
  verifyShares(outcomes, said);
  verifyTold([...violations, ...said], state.orders.chains.has(CONTRACTS), outcomes);
  return { violations: [...violations, ...said], closing };
}

/** A quorum has signed that they have it, in their order, and as many of them as are to verify it that they have. */
function verifyAcceptance(
  genesis: StrangerGenesis,
  { service, members, verifiers }: StrangerChain,
  name: readonly Item[],
  acknowledgements: readonly Item[],
): void {
  const needed = quorum(members);
  const positions: number[] = [];
  let verified = 0;
  for (const item of acknowledgements) {
    const [node, signature, word] = list(item, 3);
    const position = members.findIndex((member) => member.id === hex(node));
    demand(position >= 0, "those who acknowledged are not members in their order");
    demand(typeof word === "boolean", "an acknowledgement says neither verified nor stored");
    const message = independentCbor(["gs1/ack", genesis.hash, service, ...name, word!]);
    demand(verifies(members[position]!.key, message, bytesOf(signature, 64)), "acknowledgement is not its node's");
    positions.push(position);
    if (word === true) verified += 1;
  }
  demand(ascending(positions, -1), "those who acknowledged are not members in their order");
  demand(positions.length >= needed, "acknowledgements are not of a quorum");
  demand(verified >= Math.min(verifiers, needed), "too few of those who acknowledged have verified");
}

function takeNumber(state: RulesState, origin: string, number: number): void {
  const sealed = state.batches.get(origin) ?? { next: 0, beyond: new Set<number>() };
  demand(
    number >= sealed.next && !sealed.beyond.has(number),
    "temporary block is sealed twice, or closed by a later one",
  );
  if (number >= sealed.next + WINDOW) {
    state.batches.set(origin, { next: number + 1, beyond: new Set() });
    return;
  }
  sealed.beyond.add(number);
  for (; sealed.beyond.delete(sealed.next); sealed.next += 1);
  state.batches.set(origin, sealed);
}

function bringMeter(
  genesis: StrangerGenesis,
  state: RulesState,
  { service, bytes }: { readonly service: number; readonly bytes: Uint8Array },
): void {
  const message = readSign1(bytes, sizes.credential);
  const claims = mapOf(independentDecode(message.payload));
  demand(signed(issuerOf(genesis, claims), message), "credential is not signed by the authority");
  demand(claims.get(1) === `${genesis.issuing}/${genesis.authority.id}`, "credential is of another issuer");
  const key = readKey(mapOf(claims.get(8)).get(1));
  const from = numberOf(claims.get(5), bounds.time_s);
  const until = numberOf(claims.get(4), bounds.time_s);
  demand(until > from, "credential ends before it begins");
  const [status, permitted, held, jurisdiction, deliveryKey, origin] = list(claims.get(-70_001), 6);
  numberOf(status, bounds.word);
  const roles = listUpTo(held, 16).map((role) => numberOf(role, 15));
  demand(roles.length > 0 && ascending(roles, -1), "credential's roles are none, or not in ascending order");
  const isCode = typeof jurisdiction === "string" && /^[A-Z][A-Z](-[A-Z0-9]{1,3})?$/.test(jurisdiction);
  demand(jurisdiction === null || isCode, "credential's jurisdiction is no code");
  if (deliveryKey !== null) bytesOf(deliveryKey, 32);
  if (origin !== null) {
    const [made, lot] = list(origin, 2);
    numberOf(made, 3, 1);
    demand(lot === null || (typeof lot === "string" && lot.length >= 1 && lot.length <= 32), "a lot's name is none");
  }
  const services = list(permitted).map((service) => numberOf(service, bounds.service, 1));
  demand(ascending(services, 0), "credential's services are not in ascending order");
  demand(services.includes(service), "credential is for other services than the chain's");
  const isTimely = state.time_ms >= from * 1_000 && state.time_ms < until * 1_000;
  demand(isTimely, "credential is not valid at the block's time");
  const said = hex(independentCbor([mapOf(claims.get(8)).get(1)!, permitted!, held!]));
  const known = state.meters.get(key.id);
  if (known !== undefined) {
    demand(until > known.term[1] && said === known.said, "credential is on the chain twice");
    known.term = [from, until];
    return;
  }
  state.meters.set(key.id, {
    key,
    term: [from, until],
    said,
    subject: String(claims.get(2)),
    services,
    measures: roles.includes(0) || roles.includes(1),
    asks: roles.some((role) => role > 1),
    high: -1,
    head: Buffer.alloc(0),
    gaps: [],
    forks: [],
    hashes: new Map(),
  });
}

function readRecord(chain: StrangerChain, state: RulesState, bytes: Uint8Array): ParsedRecord {
  const { message, claims, isOperation } = readRecordForm(bytes);
  const meter = hex(message.header.get(4));
  const known = state.meters.get(meter);
  if (known === undefined) throw new Error(`meter ${meter} has no credential on the chain`);
  demand(signed(known.key, message), "record is not signed by its meter");
  demand(claims.get(2) === chain.service, "record is of another version or service");
  demand(isOperation || known.measures, "record is of a participant");
  demand(!isOperation || known.asks, "operation is of a meter");
  return { bytes, hash: sha256(bytes), meter, seq: numberOf(claims.get(4), bounds.seq), claims };
}

/** Rules for a record that is sealed: it fills a gap, or goes beyond the highest number and may close gaps or break the link. */
function sealRecord(meter: MeterOnChain, { seq, hash, claims, meter: id }: ParsedRecord): Item[] {
  const kid = Buffer.from(id, "hex");
  meter.hashes.set(seq, hash);
  if (seq <= meter.high) {
    const gap = meter.gaps.find(([from, to]) => seq >= from && seq <= to);
    if (gap === undefined) throw new Error(`record ${seq} of ${id} is sealed twice or too late`);
    const parts = [[gap[0], seq - 1] as const, [seq + 1, gap[1]] as const].filter(([from, to]) => from <= to);
    meter.gaps = meter.gaps.flatMap((other) => (other === gap ? parts : [other]));
    return [];
  }
  const closed = meter.gaps.filter(([, to]) => to < seq - WINDOW);
  const violations: Item[] = closed.map(([from, to]) => [1, kid, from, to]);
  meter.gaps = meter.gaps.filter((gap) => !closed.includes(gap));
  if (seq > meter.high + 1) meter.gaps.push([meter.high + 1, seq - 1]);
  else if (meter.high >= 0 && !meter.head.equals(bytesOf(claims.get(5)))) violations.push([3, kid, seq, hash]);
  meter.high = seq;
  meter.head = hash;
  return violations;
}

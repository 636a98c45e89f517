// A stranger who has PROTOCOL.md, node:crypto and nothing of Gridseal verifies an exported chain: "Verifying an exported chain, step
// by step", in its order. It imports neither src nor tools. Throws an Error that names the first thing that is not proven.

import { type Item, independentCbor, independentDecode, independentSequence } from "./independent-cbor.js";
import {
  membersAfter,
  noOrders,
  proveEquivocation,
  readMember,
  type StrangerMember,
  type StrangerOrders,
  takeOrder,
} from "./stranger-orders.js";
import {
  bytesOf,
  demand,
  hex,
  list,
  mapOf,
  meets,
  merkleRoot,
  numberOf,
  readKey,
  readSign1,
  type StrangerKey,
  same,
  sha256,
  signed,
  verifies,
} from "./stranger-proof.js";

interface StrangerChain {
  readonly service: number;
  readonly name: string;
  readonly members: readonly StrangerMember[];
  readonly target: number;
}

interface StrangerGenesis {
  readonly network: string;
  readonly authority: StrangerKey;
  readonly nodes: readonly StrangerMember[];
  readonly chains: readonly StrangerChain[];
  readonly hash: Buffer;
}

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

export interface StrangerChainReport {
  readonly network: string;
  readonly chain: number;
  readonly height: number;
  /** violations up to the last block */
  readonly counter: number;
  readonly records: readonly StrangerRecord[];
  /** what the orders that it seals have come to */
  readonly orders: StrangerOrders;
}

interface MeterOnChain {
  readonly key: StrangerKey;
  readonly subject: string;
  readonly services: readonly number[];
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

interface State {
  height: number;
  previous: Buffer;
  time_ms: number;
  counter: number;
  judgedAt: number;
  /** who seals the next block */
  members: readonly StrangerMember[];
  readonly orders: StrangerOrders;
  /** heights of recorded equivocations by node */
  readonly faults: Map<string, Set<number>>;
  readonly meters: Map<string, MeterOnChain>;
  /** temporary blocks by original node: all numbers below `next` are sealed or closed, and those in `beyond` */
  readonly batches: Map<string, { next: number; readonly beyond: Set<number> }>;
  readonly records: StrangerRecord[];
}

const WINDOW = 1_024;
const RULES = "gs1/rules/1";
/** The service whose chain seals orders. */
const CONTRACTS = 5;
const FAULTS_MAX = 8;

/** Verifies every block of an exported chain from the genesis and, where its blocks name orders, the verified contracts chain's; see PROTOCOL.md. */
export function verifyExport(
  genesisBytes: Uint8Array,
  exportBytes: Uint8Array,
  contracts?: StrangerOrders,
): StrangerChainReport {
  const genesis = readGenesis(genesisBytes);
  const blocks = independentSequence(exportBytes);
  demand(blocks.length > 0, "the export holds no block");
  const service = numberOf(list(list(independentDecode(blocks[0]!), 7)[0], 5)[3]);
  const chain = genesis.chains.find((candidate) => candidate.service === service);
  if (chain === undefined) throw new Error(`the genesis has no chain ${service}`);
  const state: State = {
    height: 0,
    previous: genesis.hash,
    time_ms: 0,
    counter: 0,
    judgedAt: 0,
    members: chain.members,
    orders: contracts ?? noOrders(genesis.chains, genesis.nodes),
    faults: new Map(),
    meters: new Map(),
    batches: new Map(),
    records: [],
  };
  for (const block of blocks) verifyBlock(genesis, { ...chain, members: state.members }, state, block);
  const { height, counter, records, orders } = state;
  return { network: genesis.network, chain: service, height, counter, records, orders };
}

// Steps 1 and 2: the genesis, its authority, its members.

function readGenesis(bytes: Uint8Array): StrangerGenesis {
  const message = readSign1(bytes);
  const payload = mapOf(independentDecode(message.payload));
  const authority = readKey(payload.get(4));
  demand(payload.get(1) === 1, "genesis version is not 1");
  demand(signed(authority, message), "genesis is not signed by its authority");
  const nodes = list(payload.get(5)).map(readMember);
  const chains = list(payload.get(6)).map((chain): StrangerChain => {
    const [service, name, members, target] = list(chain, 4);
    return {
      service: numberOf(service),
      name: String(name),
      members: list(members).map((index) => nodes[numberOf(index)]!),
      target: numberOf(target),
    };
  });
  const network = payload.get(2);
  demand(typeof network === "string", "genesis names no network");
  return {
    network: String(network),
    authority,
    nodes,
    chains,
    hash: sha256(bytes),
  };
}

// Steps 3 to 9: a block after the one before it.

function verifyBlock(genesis: StrangerGenesis, chain: StrangerChain, state: State, bytes: Uint8Array): void {
  const [format, size, headerItem, counter, dataItem, lock, certificate] = list(independentDecode(bytes), 7);
  const height = state.height + 1;
  same(
    independentCbor(format!),
    independentCbor([Buffer.from("GSB1"), 1, genesis.network, chain.service, height]),
    "block format",
  );
  demand(Buffer.from(bytesOf(size, 4)).readUInt32BE() === bytes.length, "block size is not its own");
  bytesOf(lock, 8);

  const header = Buffer.from(bytesOf(headerItem, 80));
  const headerHash = sha256(header);
  demand(header.readUInt32LE(0) === 1, "header version is not 1");
  same(header.subarray(4, 36), state.previous, "link to the header before");
  demand(
    header.readUInt32LE(72) === chain.target && meets(headerHash, chain.target),
    "header does not meet the target",
  );
  verifyCertificate(genesis, chain, height, headerHash, certificate);

  const content = list(independentDecode(bytesOf(dataItem)), 9);
  const [service, batchItems, script, results, anchors, judgedAt, time, memberSet, nextMemberSet] = content;
  demand(service === chain.service, "data record is of another service");
  const members = sha256(independentCbor(chain.members.map(({ entry }) => entry)));
  same(bytesOf(memberSet), members, "member set");
  const judged = numberOf(judgedAt);
  demand(judged >= state.judgedAt, "contracts height is below that of the block before");
  demand(judged === state.judgedAt || state.orders.heights.has(judged), "contracts height holds no known order");
  const next = membersAfter(state.orders, chain.service, height, judged);
  same(bytesOf(nextMemberSet), sha256(independentCbor(next.map(({ entry }) => entry))), "next member set");
  const time_ms = numberOf(time);
  demand(time_ms >= state.time_ms, "block time runs backwards");
  demand(header.readUInt32LE(68) === Math.floor(time_ms / 1_000), "header's time is not the block's");
  demand(Buffer.from(bytesOf(script)).toString() === RULES, "contract script is not gs1/rules/1");

  const others = list(anchors).map((anchor) => numberOf(list(anchor, 3)[0]));
  demand(ascending(others, 0) && !others.includes(chain.service), "anchors are not of other chains in order");
  const batches = list(batchItems).map((batch) => list(batch, 6));
  const summary = batches.map(([origin, number, id, acknowledgements, notices, records]): Item => {
    return [origin!, number!, id!, acknowledgements!, notices!, list(records).length];
  });
  const metadata = independentCbor([
    Buffer.from("GSB1"),
    1,
    genesis.network,
    chain.service,
    height,
    counter!,
    sha256(independentCbor(summary)),
    sha256(bytesOf(script)),
    sha256(bytesOf(results)),
    bytesOf(memberSet),
    bytesOf(nextMemberSet),
    judgedAt!,
    time!,
    anchors!,
  ]);
  const entries = batches.flatMap((batch) => list(batch[5]).map((record) => sha256(bytesOf(record))));
  same(header.subarray(36, 68), merkleRoot([metadata, ...entries]), "Merkle root");

  state.height = height;
  state.previous = headerHash;
  state.time_ms = time_ms;
  state.judgedAt = judged;
  state.members = next;
  const before = state.orders.last;
  const violations = runRules(genesis, chain, state, batches, bytesOf(results));
  same(bytesOf(results), independentCbor(violations), "results of the rules");
  const ordered = chain.service === CONTRACTS && state.orders.last > before;
  demand(violations.length > 0 || entries.length > 0 || ordered, "block is empty");
  state.counter += violations.length;
  demand(counter === state.counter, `action counter is not ${state.counter}`);
}

function verifyCertificate(
  genesis: StrangerGenesis,
  chain: StrangerChain,
  height: number,
  headerHash: Buffer,
  item: Item | undefined,
): void {
  const [round, signatures] = list(item, 2);
  const message = independentCbor(["gs1/precommit", genesis.hash, chain.service, height, numberOf(round), headerHash]);
  const signers = list(signatures).map((entry) => list(entry, 2));
  const positions = signers.map(([node]) => chain.members.findIndex(({ id }) => id === hex(node)));
  demand(ascending(positions, -1), "certificate's signers are not members in their order");
  for (const [index, [, signature]] of signers.entries()) {
    const { key } = chain.members[positions[index]!]!;
    demand(verifies(key, message, bytesOf(signature, 64)), "certificate's signature does not verify");
  }
  demand(signers.length >= quorum(chain), "certificate is not of a quorum");
}

function ascending(numbers: readonly number[], before: number): boolean {
  return numbers.every((number, index) => number > (numbers[index - 1] ?? before));
}

function quorum(chain: StrangerChain): number {
  return chain.members.length - Math.floor((chain.members.length - 1) / 3);
}

// Steps 10 to 13: temporary blocks, credentials, records, and the rules that they follow.

function runRules(
  genesis: StrangerGenesis,
  chain: StrangerChain,
  state: State,
  batches: readonly (readonly Item[])[],
  results: Uint8Array,
): Item[] {
  const violations: Item[] = [];
  let leaf = 0;
  for (const [origin, number, id, acknowledgements, notices, records] of batches) {
    demand(
      chain.members.some((member) => member.id === hex(origin)),
      "original node is no member of the chain",
    );
    bytesOf(id, 32);
    takeNumber(state, hex(origin), numberOf(number));
    const positions = list(acknowledgements).map((item) =>
      chain.members.findIndex((member) => member.id === hex(list(item, 2)[0])),
    );
    demand(ascending(positions, -1), "those who acknowledged are not members in their order");
    demand(positions.length >= quorum(chain), "acknowledgements are not of a quorum");
    for (const notice of list(notices)) {
      const [kind, bytes] = list(notice, 2);
      if (kind === 2 && chain.service === CONTRACTS) {
        takeOrder(state.orders, genesis.authority, genesis.hash, bytesOf(bytes), state.height);
        continue;
      }
      demand(kind === 1, "a notice is neither a credential nor an order");
      bringMeter(genesis, state, bytesOf(bytes));
    }
    for (const item of list(records)) {
      leaf += 1;
      const record = readRecord(chain, state, bytesOf(item));
      const meter = state.meters.get(record.meter)!;
      violations.push(...sealRecord(meter, record));
      const { hash, seq, claims } = record;
      const place = { height: state.height, leaf, meter: record.meter, subject: meter.subject };
      state.records.push({ ...place, seq, hash: hash.toString("hex"), claims });
    }
  }
  const noted = new Set<string>();
  for (const result of list(independentDecode(results))) {
    const [kind, kid, seq, detail] = list(result, 4);
    if (kind !== 2) continue;
    const fork = readRecord(chain, state, bytesOf(detail));
    const meter = state.meters.get(fork.meter)!;
    const sealed = meter.hashes.get(fork.seq);
    demand(hex(kid) === fork.meter && seq === fork.seq, "fork is of another record");
    demand(sealed !== undefined && !sealed.equals(fork.hash), "fork is of no sealed record");
    demand(!noted.has(fork.meter) && !meter.forks.includes(fork.seq), "fork is counted twice");
    noted.add(fork.meter);
    meter.forks = [...meter.forks, fork.seq].slice(-8);
    violations.push(result);
  }
  for (const result of list(independentDecode(results))) {
    const [kind, node, height, evidence] = list(result, 4);
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
    demand(proved === height && proved >= 1 && proved <= state.height, "evidence is of another height");
    demand(!faults.has(proved) && faults.size < FAULTS_MAX, "equivocation is counted twice or too often");
    state.faults.set(hex(node), faults.add(proved));
    violations.push(result);
  }
  return violations;
}

function takeNumber(state: State, origin: string, number: number): void {
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

function bringMeter(genesis: StrangerGenesis, state: State, bytes: Uint8Array): void {
  const message = readSign1(bytes);
  demand(signed(genesis.authority, message), "credential is not signed by the authority");
  const claims = mapOf(independentDecode(message.payload));
  demand(claims.get(1) === `${genesis.network}/${genesis.authority.id}`, "credential is of another issuer");
  const key = readKey(mapOf(claims.get(8)).get(1));
  demand(!state.meters.has(key.id), "credential is on the chain twice");
  state.meters.set(key.id, {
    key,
    subject: String(claims.get(2)),
    services: list(list(claims.get(-70_001), 3)[1]).map(numberOf),
    high: -1,
    head: Buffer.alloc(0),
    gaps: [],
    forks: [],
    hashes: new Map(),
  });
}

function readRecord(chain: StrangerChain, state: State, bytes: Uint8Array): ParsedRecord {
  const message = readSign1(bytes);
  const meter = hex(message.header.get(4));
  const known = state.meters.get(meter);
  if (known === undefined) throw new Error(`meter ${meter} has no credential on the chain`);
  demand(signed(known.key, message), "record is not signed by its meter");
  const claims = mapOf(independentDecode(message.payload)) as ReadonlyMap<number, Item>;
  demand(claims.get(1) === 1 && claims.get(2) === chain.service, "record is of another version or service");
  demand(known.services.includes(chain.service), "meter may not send records for this service");
  const seq = numberOf(claims.get(4));
  bytesOf(claims.get(5), seq === 0 ? 0 : 32);
  return { bytes, hash: sha256(bytes), meter, seq, claims };
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

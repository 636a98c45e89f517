// Rules taken away, one at a time, by coming between a node and its surroundings: the code of the node stays as it is. A simulation
// that does not notice one of them proves nothing about that rule.

import { type CborValue, decodeCbor, encodeCbor } from "../../src/wire/cbor.js";
import type { ChainPorts } from "../node/chain/ports.js";
import { emptyMeterState } from "../node/chain/state.js";
import { encodeMessage } from "../node/consensus/messages.js";
import { decodeFrame, encodeFrame } from "../node/frame.js";
import type { Store } from "../node/store/store.js";
import { type Row, type TableName, writerInto } from "./disk.js";
import { simulatedVerify } from "./keys.js";
import type { SimulatedNode } from "./node.js";
import type { ClusterOptions } from "./options.js";
import { messageOf } from "./statements.js";

export interface Mutant {
  readonly name: string;
  /** the rule that it lacks */
  readonly lacks: string;
  readonly ports?: (ports: ChainPorts) => ChainPorts;
  /** What of a frame comes in. */
  readonly frames?: (frame: Uint8Array, node: SimulatedNode) => readonly Uint8Array[];
  /** without which the rule is not called upon */
  readonly needs?: Partial<ClusterOptions>;
}

/** Few records, so that the cluster is idle when the network heals. */
const quiet = { members: 4, fault: "none", faulty: 0, meters: 2, recordsPerMeter: 2, agent: false } as const;
const unnoticed = { loss: 0, duplication: 0, delay_ms: 5, slow: 0, unnoticed: 1 };
const attacked = { members: 4, fault: "byzantine", faulty: 1 } as const;

export const mutants: readonly Mutant[] = [
  { name: "sends-before-durable", lacks: "a vote is on disk before it is sent", ports: withHaste("consensus") },
  { name: "puback-before-durable", lacks: "a record is on disk before its PUBACK", ports: withHaste("admitted") },
  {
    name: "acknowledges-before-durable",
    lacks: "a temporary block is on disk before its ACK",
    ports: withHaste("batches"),
  },
  { name: "receipt-before-durable", lacks: "a block is on disk before its receipts", ports: withHaste("blocks") },
  { name: "loses-record", lacks: "the consensus record is kept", ports: withStore(withoutWrites("consensus")) },
  {
    name: "forgets-lock",
    lacks: "the lock outlives a restart",
    ports: withRecord((row) => row.with(6, null).with(7, null)),
  },
  { name: "forgets-votes", lacks: "own votes outlive a restart", ports: withRecord(withoutVotes) },
  { name: "rebuilds-proposal", lacks: "a restart sends the stored proposal", ports: withRecord(withoutProposals) },
  { name: "votes-without-record", lacks: "a node without its record abstains", ports: withStore(withFreshRecord) },
  {
    name: "forgets-admitted",
    lacks: "admitted records outlive a restart",
    ports: withStore(() => ({ admitted: () => [] })),
  },
  {
    name: "forgets-batches",
    lacks: "temporary blocks outlive a restart",
    ports: withStore(() => ({ batches: () => [] })),
  },
  { name: "quorum-less-one", lacks: "a quorum is of distinct members", ports: withAnyMember, frames: precommitsTwice },
  {
    name: "trusts-votes",
    lacks: "votes and acknowledgements are verified",
    ports: (ports) => ({ ...ports, verify: () => true }),
    needs: { ...attacked, behaviours: ["forge"] },
  },
  {
    name: "trusts-records",
    lacks: "records are verified before their ACK",
    ports: (ports) => ({ ...ports, verifyAsync: () => Promise.resolve(true) }),
    needs: { ...attacked, behaviours: ["forge"], meters: 4 },
  },
  { name: "skips-duplicate-check", lacks: "a record is sealed once", ports: withStore(withoutMeters) },
  {
    name: "seals-batches-twice",
    lacks: "a temporary block is sealed once",
    ports: withStore(() => ({ origin: () => undefined })),
  },
  { name: "no-catch-up", lacks: "blocks are fetched from peers", frames: withoutFrames("block") },
  {
    name: "no-certificates",
    lacks: "polkas and round certificates are passed on",
    frames: withoutMessages("polka", "round"),
    needs: { ...attacked, behaviours: ["mute"] },
  },
  { name: "no-bodies", lacks: "missing temporary blocks are fetched", frames: withoutFrames("needBatch") },
  {
    name: "never-resends",
    lacks: "what may be lost is said again",
    ports: withoutTimers("resend", "consensus/resend"),
  },
  {
    name: "no-heartbeat",
    lacks: "an idle node says where it is",
    ports: withoutTimers("consensus/heartbeat"),
    needs: { ...quiet, crashEvery_ms: 0, partitionEvery_ms: 2_500, conditions: unnoticed },
  },
  {
    name: "no-timeouts",
    lacks: "a round without a decision ends",
    ports: withoutTimers("consensus/propose", "consensus/precommit"),
  },
];

function withStore(change: (store: Store, ports: ChainPorts) => Partial<Store>) {
  return (ports: ChainPorts): ChainPorts => ({ ...ports, store: { ...ports.store, ...change(ports.store, ports) } });
}

/** Writes that put a row of this table are said to be durable at once. */
function withHaste(table: TableName) {
  return withStore((store) => ({
    write(fill) {
      const written = store.write(fill);
      return rowsIn(fill).some((row) => row.table === table && row.value !== undefined) ? Promise.resolve() : written;
    },
  }));
}

function withoutWrites(table: TableName) {
  return (store: Store): Partial<Store> => ({
    write: (fill) => (rowsIn(fill).some((row) => row.table === table) ? Promise.resolve() : store.write(fill)),
  });
}

function rowsIn(fill: Parameters<Store["write"]>[0]): Row[] {
  const rows: Row[] = [];
  fill(writerInto(rows));
  return rows;
}

/** The consensus record as a restart reads it: [format, genesis, chain, height, round, step, locked, valid, certificate, votes, proposals, values]. */
function withRecord(change: (row: readonly CborValue[]) => readonly CborValue[]) {
  return withStore((store) => ({
    consensus(chain) {
      const bytes = store.consensus(chain);
      return bytes === undefined
        ? undefined
        : encodeCbor(change(decodeCbor(bytes, recordLimits) as readonly CborValue[]));
    },
  }));
}

const recordLimits = { size: 2 ** 24, items: 65_536 };
const idleStep = 0;
const proposeStep = 1;

function withoutVotes(row: readonly CborValue[]): readonly CborValue[] {
  const step = row[5] === idleStep ? idleStep : proposeStep;
  return row.with(5, step).with(6, null).with(7, null).with(9, []).with(10, []);
}

/** As if the node had not begun its round: its proposal and its votes there are made anew. */
function withoutProposals(row: readonly CborValue[]): readonly CborValue[] {
  const votes = (row[9] as readonly (readonly CborValue[])[]).filter((vote) => vote[2] !== row[4]);
  const isLocked = row[6] !== null && (row[6] as readonly CborValue[])[0] === row[4];
  const free = isLocked ? row.with(6, null).with(7, null) : row;
  return free
    .with(5, row[5] === idleStep ? idleStep : proposeStep)
    .with(9, votes)
    .with(10, []);
}

function withFreshRecord(store: Store, { genesis }: ChainPorts): Partial<Store> {
  return {
    consensus(chain) {
      const height = (store.head(chain)?.height ?? 0) + 1;
      const fresh = ["gs1/consensus-record", genesis.hash, chain, height, 0, idleStep, null, null, [], [], [], []];
      return readable(() => store.consensus(chain)) ?? encodeCbor(fresh);
    },
  };
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Every record extends its meter's chain. */
function withoutMeters(store: Store): Partial<Store> {
  return {
    meter: (chain, kid) => (store.meter(chain, kid) === undefined ? undefined : emptyMeterState),
    location: () => undefined,
  };
}

/** A signature of one member is good for any other. */
function withAnyMember(ports: ChainPorts): ChainPorts {
  const keys = ports.chain.members.map((member) => member.key);
  return {
    ...ports,
    verify: (key, message, signature) =>
      [key, ...keys].some((candidate) => simulatedVerify(candidate, message, signature)),
  };
}

/** Every precommit counts for a silent member too. */
function precommitsTwice(bytes: Uint8Array, node: SimulatedNode): readonly Uint8Array[] {
  const frame = decodeFrame(bytes);
  if (frame?.kind !== "consensus") return [bytes];
  const message = readable(() => messageOf(bytes, frame.payload));
  if (message?.type !== "precommit" || message.id === null) return [bytes];
  const silent = [...node.peers].find((peer) => peer !== message.node);
  if (silent === undefined) return [bytes];
  return [bytes, encodeFrame("consensus", frame.chain, encodeMessage({ ...message, node: silent }))];
}

function withoutFrames(...kinds: readonly string[]) {
  return (bytes: Uint8Array): readonly Uint8Array[] => {
    const frame = decodeFrame(bytes);
    return frame !== undefined && kinds.includes(frame.kind) ? [] : [bytes];
  };
}

function withoutMessages(...types: readonly string[]) {
  return (bytes: Uint8Array): readonly Uint8Array[] => {
    const frame = decodeFrame(bytes);
    if (frame?.kind !== "consensus") return [bytes];
    const message = readable(() => messageOf(bytes, frame.payload));
    return message !== undefined && types.includes(message.type) ? [] : [bytes];
  };
}

function withoutTimers(...names: readonly string[]) {
  return (ports: ChainPorts): ChainPorts => ({
    ...ports,
    setTimer(name, delay_ms, callback) {
      if (!names.includes(name)) ports.setTimer(name, delay_ms, callback);
    },
  });
}

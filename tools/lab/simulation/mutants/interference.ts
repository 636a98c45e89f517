// What comes between a mutant's nodes and their surroundings, the code of the nodes staying as it is: stores that lose something or
// say that it is durable too early, frames that do not come in or come in twice, timers that do not run.

import { type CborValue, decodeCbor, encodeCbor } from "../../../../src/wire/cbor.js";
import { encodeMessage } from "../../../consensus/messages.js";
import { emptyMeterState } from "../../../ledger/state.js";
import { decodeFrame, encodeFrame } from "../../../node/chain/frame.js";
import type { ChainPorts } from "../../../node/chain/ports.js";
import { consensusRecords } from "../../../node/chain/tables/consensus-records.js";
import { heads } from "../../../node/chain/tables/heads.js";
import { index } from "../../../node/chain/tables/runs.js";
import { meters } from "../../../node/chain/tables/states.js";
import { chainIn, chainKey } from "../../../node/store/keys.js";
import type { Store } from "../../../node/store/store.js";
import type { Table } from "../../../node/store/table.js";
import { rowsToWrite } from "../../../node/store/writer.js";
import { messageOf } from "../checks/statements.js";
import { simulatedVerify } from "../world/keys.js";
import type { SimulatedNode } from "../world/node-world.js";

export function withStore(change: (store: Store, ports: ChainPorts) => Partial<Store>) {
  return (ports: ChainPorts): ChainPorts => ({ ...ports, store: { ...ports.store, ...change(ports.store, ports) } });
}

type AnyNamed = Pick<Table<never, unknown, never>, "name">;

/** Rows of this table are what `read` says. */
function withRows<Key extends Buffer, Row>(
  store: Store,
  changed: Table<Key, Row, never>,
  read: (key: Key) => Row | undefined,
): Partial<Store> {
  return {
    get<OtherKey extends Buffer, Other>(table: Table<OtherKey, Other, never>, key: OtherKey): Other | undefined {
      if (table.name !== changed.name) return store.get(table, key);
      return read(key as Buffer as Key) as Other | undefined;
    },
  };
}

/** Writes that put a row of this table are said to be durable at once. */
export function withHaste({ name }: AnyNamed) {
  return withStore((store) => ({
    write(fill) {
      const written = store.write(fill);
      return rowsToWrite(fill).some(({ table, row }) => table.name === name && row !== undefined)
        ? Promise.resolve()
        : written;
    },
  }));
}

export function withoutWrites({ name }: AnyNamed) {
  return (store: Store): Partial<Store> => ({
    write: (fill) =>
      rowsToWrite(fill).some(({ table }) => table.name === name) ? Promise.resolve() : store.write(fill),
  });
}

/** The consensus record as a restart reads it: [format, genesis, chain, height, round, step, locked, valid, certificate, votes, proposals, values]. */
export function withRecord(change: (row: readonly CborValue[]) => readonly CborValue[]) {
  return withStore((store) =>
    withRows(store, consensusRecords, (key) => {
      const bytes = store.get(consensusRecords, key);
      return bytes === undefined
        ? undefined
        : encodeCbor(change(decodeCbor(bytes, recordLimits) as readonly CborValue[]));
    }),
  );
}

const recordLimits = { size: 2 ** 24, items: 65_536 };
const idleStep = 0;
const proposeStep = 1;

export function withoutVotes(row: readonly CborValue[]): readonly CborValue[] {
  const step = row[5] === idleStep ? idleStep : proposeStep;
  return row.with(5, step).with(6, null).with(7, null).with(9, []).with(10, []);
}

/** As if the node had not begun its round: its proposal and its votes there are made anew. */
export function withoutProposals(row: readonly CborValue[]): readonly CborValue[] {
  const votes = (row[9] as readonly (readonly CborValue[])[]).filter((vote) => vote[2] !== row[4]);
  const isLocked = row[6] !== null && (row[6] as readonly CborValue[])[0] === row[4];
  const free = isLocked ? row.with(6, null).with(7, null) : row;
  return free
    .with(5, row[5] === idleStep ? idleStep : proposeStep)
    .with(9, votes)
    .with(10, []);
}

export function withFreshRecord(store: Store, { genesis }: ChainPorts): Partial<Store> {
  return withRows(store, consensusRecords, (key) => {
    const chain = chainIn(key);
    const height = (store.get(heads, chainKey(chain))?.height ?? 0) + 1;
    const begun = [0, idleStep, null, null, [], [], [], []];
    const fresh = ["gs1/consensus-record", genesis.hash, chain, height, ...begun, height];
    return readable(() => store.get(consensusRecords, key)) ?? encodeCbor(fresh);
  });
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Nothing is read of this table. */
export function withoutRows(store: Store, { name }: AnyNamed): Partial<Store> {
  return {
    get: (table, key) => (table.name === name ? undefined : store.get(table, key)),
    range: (table, range) => (table.name === name ? [] : store.range(table, range)),
  };
}

/** Every record extends its meter's chain. */
export function withoutMeters(store: Store): Partial<Store> {
  return {
    ...withRows(store, meters, (key) => (store.get(meters, key) === undefined ? undefined : emptyMeterState)),
    range: (table, range) => (table.name === index.name ? [] : store.range(table, range)),
  };
}

/** A signature of one member is good for any other. */
export function withAnyMember(ports: ChainPorts): ChainPorts {
  const keys = ports.chain.members.map((member) => member.key);
  return {
    ...ports,
    verify: (key, message, signature) =>
      [key, ...keys].some((candidate) => simulatedVerify(candidate, message, signature)),
  };
}

/** Every precommit counts for a silent member too. */
export function precommitsTwice(bytes: Uint8Array, node: SimulatedNode): readonly Uint8Array[] {
  const frame = decodeFrame(bytes);
  if (frame?.kind !== "consensus") return [bytes];
  const message = readable(() => messageOf(bytes, frame.payload));
  if (message?.type !== "precommit" || message.id === null) return [bytes];
  const silent = [...node.peers].find((peer) => peer !== message.node);
  if (silent === undefined) return [bytes];
  return [bytes, encodeFrame("consensus", frame.chain, encodeMessage({ ...message, node: silent }))];
}

export function withoutFrames(...kinds: readonly string[]) {
  return (bytes: Uint8Array): readonly Uint8Array[] => {
    const frame = decodeFrame(bytes);
    return frame !== undefined && kinds.includes(frame.kind) ? [] : [bytes];
  };
}

export function withoutMessages(...types: readonly string[]) {
  return (bytes: Uint8Array): readonly Uint8Array[] => {
    const frame = decodeFrame(bytes);
    if (frame?.kind !== "consensus") return [bytes];
    const message = readable(() => messageOf(bytes, frame.payload));
    return message !== undefined && types.includes(message.type) ? [] : [bytes];
  };
}

export function withoutTimers(...names: readonly string[]) {
  return (ports: ChainPorts): ChainPorts => ({
    ...ports,
    setTimer(name, delay_ms, callback) {
      if (!names.includes(name)) ports.setTimer(name, delay_ms, callback);
    },
  });
}

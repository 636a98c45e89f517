// This node as original node: takes admitted records, durable one by one, and cuts them into temporary blocks. Performs what
// origin/step.ts decides.

import type { Block } from "../../../../src/wire/block.js";
import { toHex } from "../../../../src/wire/bytes.js";
import { type Credential, parseCredential } from "../../../../src/wire/credential.js";
import type { SealedDisclosures } from "../../../../src/wire/sealed-disclosure.js";
import { BoundedMap } from "../../../bounded-map.js";
import { makeBatch, type ReadBatch } from "../../../ledger/compose.js";
import type { ExecutionNotice } from "../../../ledger/execution.js";
import { readNotice } from "../../../ledger/notices.js";
import { type ExecutionRecord, executionRecord, kidOf, type ReadRecord } from "../../../ledger/record-scan.js";
import { idKey, numberKey } from "../../store/keys.js";
import type { Writer } from "../../store/writer.js";
import type { ChainPorts, SealedBlock } from "../ports.js";
import { viewOf } from "../stored-state.js";
import { admitted, admittedRecords } from "../tables/admitted.js";
import { batches, deleteBatch, storedBatches } from "../tables/batches.js";
import { credentials } from "../tables/credentials.js";
import { putSealed, type SealedPlace } from "../tables/sealed-disclosures.js";
import type { Exchange, Returned } from "./exchange.js";
import {
  examine,
  isUnderWay,
  type Knowledge,
  knowledgeOf,
  refused,
  type Submission,
  takeRecord,
} from "./origin/admission.js";
import {
  type Cut,
  createOriginNode,
  isMember,
  isPending,
  type NextBlock,
  type OriginConfig,
  type OriginEffect,
  type OriginInput,
} from "./origin/state.js";
import { displacedBy, leftOutBy, onSealed, presentable, restore, step } from "./origin/step.js";
import type { Pool } from "./pool.js";
import { createWaitingNotices } from "./waiting-notices.js";

/** Of so many meters it is known what their credential on the chain permits; of more, it is read again. */
const ROLES_KEPT = 32_768;

/** `admitted`: taken · `waiting`: taken before · `busy`: not taken, to be offered again. */
export type Admission = "admitted" | "waiting" | "busy";

export interface Origin {
  readonly pending: number;
  known(record: ReadRecord): Knowledge;
  /** Takes a checked record, with what it hides where it hides something; resolves when both are durable. */
  admit(record: ReadRecord, sealed: SealedDisclosures | undefined): Promise<Admission>;
  isWaiting(kid: Uint8Array, seq: number): boolean;
  /** Records of the meter, by its id as hex, that came here and are not sealed yet. */
  waitingOf(meter: string): number;
  /** Takes an order or evidence, whose signatures are verified, for the next temporary block; resolves when it is durable. */
  submit(notice: ExecutionNotice): Promise<Submission>;
  /** Messages of a chain or what is due, as `WaitingNotices.offer` takes them, less what is under way. */
  offer(from: string, notices: readonly ExecutionNotice[]): void;
  /** Takes back what was on disk when the node stopped; the exchange has restored the pool before. */
  restore(): void;
  /** This node is a member again: what has waited is cut. */
  resume(): void;
  /** A block is sealed and its members count: what came while it was made is cut, where no temporary block of this node is under way. */
  goOn(): void;
  /**
   * Writes with the block what it gives back: records of temporary blocks that it leaves without a number, and operations that its
   * contracts leave no room for.
   */
  onSealing(writer: Writer, block: Block): void;
  /** For the exchange: temporary blocks of an earlier self that peers still hold. */
  readonly returned: Returned;
  /**
   * Lets go of what the block sealed, takes back what it gave back, and cuts again where the pool has room now. Returns how many
   * milliseconds the oldest record of each own temporary block in it has waited, of those that were cut since the node started.
   */
  onSealed(sealed: SealedBlock): number[];
}

interface Unwritten {
  readonly record: ExecutionRecord;
  readonly sealed: SealedDisclosures | undefined;
}

export function createOrigin(
  ports: ChainPorts,
  pool: Pool,
  exchange: Exchange,
  next: NextBlock,
  isStopped: () => boolean,
): Origin {
  const { genesis, store, self } = ports;
  const service = ports.chain.service;
  const waitingNotices = createWaitingNotices(ports);
  const stored = storedBatches(store, service).filter(({ origin }) => toHex(origin) === toHex(self.id));
  const node = createOriginNode(
    {
      ...next,
      service,
      self: self.id,
      records_max: ports.batch.records_max,
      view: viewOf(store, service),
      shownCredential: (record) => store.get(credentials, idKey(0, kidOf(record))),
      rolesOf: createRoles(ports),
      isCertified: (record) => store.get(credentials, idKey(service, kidOf(record))) !== undefined,
      isGivenUp: exchange.isGivenUp,
      isStopped,
    },
    { pool, waitingNotices, used: stored.map(({ number }) => number) },
  );
  const rows = createAdmittedRows(ports);
  /** by the block that is being stored */
  let leftOut: readonly ExecutionRecord[] = [];

  const feed = (input: OriginInput) => {
    try {
      for (const effect of step(node, input, ports.monotonic_ms())) perform(effect);
    } catch (error) {
      ports.onFatal(error);
    }
  };

  const perform = (effect: OriginEffect): void => {
    switch (effect.type) {
      case "writeAdmitted":
        return void rows.write();
      case "make":
        return feed({ type: "made", cut: effect.cut, read: make(effect) });
      case "write":
        return write(effect.cut, effect.read);
      case "publish":
        return exchange.publish(effect.read);
      case "giveBack":
        return giveBack(effect.read);
      case "clearTimer":
        return ports.clearTimer("cut");
      case "setTimer":
        return ports.setTimer("cut", ports.batch.interval_ms, () => feed({ type: "due" }));
    }
  };

  const make = ({ cut, credentials: brought }: Extract<OriginEffect, { type: "make" }>) => {
    const notices = [
      ...brought.map((bytes) => ({ kind: "credential" as const, bytes })),
      ...cut.chosen.map(({ kind, bytes }) => ({ kind, bytes })),
    ];
    const content = { chain: service, origin: self.id, number: cut.number, notices };
    return makeBatch(genesis.hash, content, cut.records, (bytes) => ports.signer.sign(bytes));
  };

  const write = (cut: Cut, read: ReadBatch | undefined) => {
    const written = store.write((writer) => {
      if (read !== undefined) writer.put(batches, numberKey(service, self.id, read.batch.number), read.bytes);
      for (const record of cut.taken) writer.delete(admitted, numberKey(service, kidOf(record), record.seq));
      waitingNotices.remove(writer, [...cut.chosen, ...cut.spent]);
    });
    written.then(() => feed({ type: "written", cut, read }), ports.onFatal);
  };

  const keepWaiting = (writer: Writer, { notices }: ReadBatch, records: readonly ExecutionRecord[]) => {
    waitingNotices.keep(writer, notices);
    keepAdmitted(writer, records);
  };

  const keepAdmitted = (writer: Writer, records: readonly ExecutionRecord[]) => {
    for (const record of records) {
      writer.put(admitted, numberKey(service, kidOf(record), record.seq), record.bytes);
    }
  };

  const giveBack = (read: ReadBatch) => {
    const records = presentable(node, read);
    const written = store.write((writer) => {
      deleteBatch(writer, service, read.batch.origin, read.batch.number);
      keepWaiting(writer, read, records);
    });
    written.then(() => feed({ type: "gaveBack", read, records }), ports.onFatal);
  };

  const submit = async (notice: ExecutionNotice): Promise<Submission> => {
    if ((await waitingNotices.has(notice)) || isUnderWay(node, notice)) return { type: "taken" };
    const examined = examine(node, notice);
    if (examined.type === "refused") return examined;
    const isFirst = !isPending(node);
    if ((await waitingNotices.submit(notice)) === "full") return refused("too much waits here: try again");
    if (isFirst) feed({ type: "waits" });
    return { type: "taken" };
  };

  return {
    get pending() {
      return node.gather.pending;
    },
    known: (record) => knowledgeOf(node, record),
    async admit(record, sealed) {
      const taken = executionRecord(record);
      const taking = takeRecord(node, taken, ports.monotonic_ms());
      if (taking === "busy") return "busy";
      await (taking === "waiting" ? rows.written : rows.add(taken, sealed));
      if (taking === "waiting") return "waiting";
      if (taking === "full") feed({ type: "full" });
      else if (taking === "first") feed({ type: "waits" });
      return "admitted";
    },
    isWaiting: (kid, seq) => node.gather.isWaiting(toHex(kid), seq),
    waitingOf: node.gather.waitingOf,
    submit,
    offer(from, notices) {
      if (isStopped() || !isMember(node)) return;
      waitingNotices.offer(
        from,
        notices.filter((notice) => !isUnderWay(node, notice)),
      );
      feed({ type: "waits" });
    },
    restore() {
      restore(node, admittedRecords(store, service));
      feed({ type: "waits" });
    },
    resume: () => feed({ type: "waits" }),
    goOn: () => feed({ type: "sealed" }),
    onSealing(writer, block) {
      for (const read of displacedBy(node, block)) {
        deleteBatch(writer, service, read.batch.origin, read.batch.number);
        if (!exchange.isGivenUp(read.id)) keepWaiting(writer, read, presentable(node, read));
      }
      leftOut = leftOutBy(node, block);
      keepAdmitted(writer, leftOut);
    },
    returned: {
      mayTake: (number) => ![...node.cuts].some(({ batch }) => batch.number === number),
      onTaking: (writer, displaced) => keepWaiting(writer, displaced, presentable(node, displaced)),
      onTaken: (read, displaced) => feed({ type: "takenBack", read, displaced }),
      onGone: giveBack,
      onEvidence: (bytes) => void submit(readNotice(genesis.hash, { kind: "evidence", bytes })).catch(ports.onFatal),
    },
    onSealed(sealed) {
      if (leftOut.length > 0) {
        ports.log.info({ height: sealed.head.height, operations: leftOut.length }, "operations wait for a later block");
      }
      const waited_ms = onSealed(node, sealed, { leftOut, now_ms: ports.monotonic_ms() });
      leftOut = [];
      return waited_ms;
    },
  };
}

/** What those who sign are: once on a chain, no later credential says otherwise. */
function createRoles({ store, chain }: ChainPorts): OriginConfig["rolesOf"] {
  const onChain = new BoundedMap<string, Pick<Credential, "roles">>(ROLES_KEPT);
  return (record) => {
    const known = onChain.get(record.meter);
    if (known !== undefined) return known;
    const sealed = store.get(credentials, idKey(chain.service, kidOf(record)));
    const bytes = sealed ?? store.get(credentials, idKey(0, kidOf(record)));
    if (bytes === undefined) return undefined;
    const { roles } = parseCredential(bytes);
    if (sealed !== undefined) onChain.set(record.meter, { roles });
    return { roles };
  };
}

/** Rows of admitted records: what comes out of verification together is one write. */
function createAdmittedRows({ store, chain, self }: ChainPorts) {
  /** admitted, and not handed to the store yet */
  let unwritten: Unwritten[] = [];
  /** of what was handed to the store last */
  let writing: Promise<void> = Promise.resolve();
  /** Of the newest admission: writes become durable in their order. */
  let soon: Promise<void> = Promise.resolve();

  const write = (): Promise<void> => {
    if (unwritten.length === 0) return writing;
    const rows = unwritten;
    unwritten = [];
    writing = store.write((writer) => putAdmitted(writer, { chain: chain.service, origin: self.id }, rows));
    return writing;
  };

  return {
    write,
    /** Resolves when the record is durable. */
    add(record: ExecutionRecord, sealed: SealedDisclosures | undefined): Promise<void> {
      unwritten.push({ record, sealed });
      if (unwritten.length === 1) soon = Promise.resolve().then(write);
      return soon;
    },
    /** Resolves when all that was added is durable. */
    get written() {
      return soon;
    },
  };
}

function putAdmitted(writer: Writer, { chain: service, origin }: SealedPlace, rows: readonly Unwritten[]): void {
  for (const { record, sealed } of rows) {
    writer.put(admitted, numberKey(service, kidOf(record), record.seq), record.bytes);
    if (sealed !== undefined) putSealed(writer, { chain: service, origin }, sealed);
  }
}

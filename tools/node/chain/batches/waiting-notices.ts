// Orders and evidence that wait on this node for its next temporary block, durable one by one in table `waitingNotices`. Beside them
// stand messages and what is due, which are offered again as long as they wait.

import { BATCH_RULINGS_MAX, CHAINS_MAX } from "../../../../src/wire/bounds.js";
import type { Notice } from "../../../../src/wire/notice.js";
import { ORDER_BYTES_MAX } from "../../../../src/wire/order.js";
import { BoundedMap } from "../../../bounded-map.js";
import { type ExecutionNotice, type ExecutionPlace, noticesTaken } from "../../../ledger/execution.js";
import { isSameNotice, readNotice } from "../../../ledger/notices.js";
import { newestRules } from "../../../ledger/scripts.js";
import { chainRange } from "../../store/keys.js";
import type { Writer } from "../../store/writer.js";
import type { ChainPorts } from "../ports.js";
import { noticeKey, waitingNotices } from "../tables/waiting-notices.js";

/** Bytes of those in one temporary block: its records make room for them. The largest orders fit, as many as it may hold. */
const TAKEN_BYTES_MAX = BATCH_RULINGS_MAX * ORDER_BYTES_MAX;
/** Beyond that a node takes none: evidence is shown again, an order's submitter is told. */
export const WAITING_NOTICES_MAX = 64;
/** Chains whose messages are offered, and what is due. */
const OFFERS_MAX = CHAINS_MAX + 1;

export interface WaitingNotices {
  readonly pending: number;
  /** These, messages of one chain in their order or what is due, are for the next temporary block, in place of those offered before. */
  offer(from: string, notices: readonly ExecutionNotice[]): void;
  /** Resolves when it is durable, to `full` where there is no room. Rejects where it cannot be written: then it does not wait here. */
  submit(notice: ExecutionNotice): Promise<"waits" | "full">;
  /** Whether it waits here; resolves when what does is durable. */
  has(notice: ExecutionNotice): Promise<boolean>;
  /** Those for the next temporary block, and those that can be sealed no more, which go. */
  take(place: ExecutionPlace): {
    readonly chosen: readonly ExecutionNotice[];
    readonly spent: readonly ExecutionNotice[];
  };
  /** Writes that they wait again: the temporary block they were in is given up. */
  keep(writer: Writer, notices: readonly ExecutionNotice[]): void;
  /** They wait again. */
  add(notices: readonly ExecutionNotice[]): void;
  /** Writes that they wait no more. */
  remove(writer: Writer, notices: readonly ExecutionNotice[]): void;
  /** Takes back what was on disk when the node stopped. */
  restore(): void;
}

export function createWaitingNotices({ chain, genesis, store }: ChainPorts): WaitingNotices {
  const { service } = chain;
  let waiting: ExecutionNotice[] = [];
  const offered = new BoundedMap<string, readonly ExecutionNotice[]>(OFFERS_MAX);
  /** Of the newest that came, written or not: writes end in their order. */
  let written: Promise<void> = Promise.resolve();

  const isHere = (notice: ExecutionNotice) => waiting.some((known) => isSameNotice(known, notice));

  const put = (writer: Writer, notice: Notice) => writer.put(waitingNotices, noticeKey(service, notice), notice);

  const ordersAndEvidence = (notices: readonly ExecutionNotice[]) =>
    notices.filter(({ kind }) => kind === "order" || kind === "evidence");

  const add = (notices: readonly ExecutionNotice[]) => {
    for (const notice of ordersAndEvidence(notices)) if (!isHere(notice)) waiting.push(notice);
  };

  return {
    get pending() {
      return [...offered.values()].reduce((sum, notices) => sum + notices.length, waiting.length);
    },
    offer(from, notices) {
      if (notices.length === 0) offered.delete(from);
      else offered.set(from, notices);
    },
    async has(notice) {
      if (!isHere(notice)) return false;
      await written;
      return isHere(notice);
    },
    async submit(notice) {
      if (waiting.length >= WAITING_NOTICES_MAX) return "full";
      add([notice]);
      const writing = store.write((writer) => put(writer, notice));
      written = writing.catch(() => {}); // its own submitter is told
      try {
        await writing;
      } catch (error) {
        waiting = waiting.filter((known) => !isSameNotice(known, notice));
        throw error;
      }
      return "waits";
    },
    take(place) {
      const useful = waiting.filter((notice) => newestRules.takesEffect(place, notice));
      const spent = waiting.filter((notice) => !useful.includes(notice));
      const chosen = fitting(useful);
      waiting = useful.slice(chosen.length);
      const told = noticesTaken(place, [...offered.values()].flat()).slice(0, BATCH_RULINGS_MAX - chosen.length);
      offered.clear();
      return { chosen: [...chosen, ...told], spent };
    },
    keep(writer, notices) {
      for (const notice of ordersAndEvidence(notices)) put(writer, notice);
    },
    add,
    remove(writer, notices) {
      for (const notice of ordersAndEvidence(notices)) writer.delete(waitingNotices, noticeKey(service, notice));
    },
    restore() {
      add(store.range(waitingNotices, chainRange(service)).map(({ row }) => readNotice(genesis.hash, row)));
    },
  };
}

/** The first of them, as many as one temporary block takes. */
function fitting(notices: readonly ExecutionNotice[]): readonly ExecutionNotice[] {
  let bytes = 0;
  const beyond = notices.findIndex((notice) => {
    bytes += notice.bytes.length;
    return bytes > TAKEN_BYTES_MAX;
  });
  return notices.slice(0, Math.min(beyond < 0 ? notices.length : beyond, BATCH_RULINGS_MAX));
}

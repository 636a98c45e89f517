// One chain on one node: records in, sealed blocks out. Ties gathering, the exchange of temporary blocks, the consensus and the
// sealer; chains share nothing but the process.

import { BLOCK_BYTES_MAX } from "../../../src/wire/block.js";
import { toHex } from "../../../src/wire/bytes.js";
import { decodeCbor } from "../../../src/wire/cbor.js";
import { WireError } from "../../../src/wire/error.js";
import { guardCborPrefix } from "../../../src/wire/guard.js";
import { parseRecord, type Record } from "../../../src/wire/record.js";
import { asArray, asUint } from "../../../src/wire/shape.js";
import { assertInvariant, GridsealError, reasonOf } from "../../errors.js";
import { createConsensus } from "../consensus/core.js";
import { decodeMessage, encodeMessage } from "../consensus/messages.js";
import { decodeRecord } from "../consensus/record.js";
import type { Effect } from "../consensus/types.js";
import { decodeNeedBlocks, encodeFrame, encodeNeedBlocks, type Frame } from "../frame.js";
import type { Head } from "../store/store.js";
import { makeBatch } from "./compose.js";
import { createExchange } from "./exchange.js";
import { createGather } from "./gather.js";
import { createPool } from "./pool.js";
import type { ChainPorts } from "./ports.js";
import { decodeProposalBody } from "./proposal.js";
import { createRunner } from "./runner.js";
import { createSealer, type SealedBlock } from "./sealer.js";

/** Blocks and bytes that answer one request of a node that was away. */
const SERVED_BLOCKS_MAX = 64;
const SERVED_BYTES_MAX = 4_194_304;
/** Blocks ahead of the next one that a node keeps while it catches up. */
const AHEAD_MAX = 2 * SERVED_BLOCKS_MAX;
const RESEND_MS = 2_000;

export type Admission = "admitted" | "waiting" | "busy";

export interface Chain {
  readonly head: Head;
  /** records of this node's meters that are not sealed */
  readonly pendingRecords: number;
  start(): void;
  /** What is known of the record here already, before anything is checked with cost. */
  known(record: Record): "sealed" | "waiting" | "other" | "none";
  /** Takes a checked record; resolves when it is durable. */
  admit(record: Record, disclosures: Uint8Array | undefined): Promise<Admission>;
  onFrame(from: string, frame: Frame): Promise<void>;
  /** A member can be reached again: what it may have missed is said to it. */
  onPeer(node: string): void;
  hasMember(node: string): boolean;
  isWaiting(kid: Uint8Array, seq: number): boolean;
  stop(): void;
}

export function createChain(ports: ChainPorts): Chain {
  const { chain, genesis, store } = ports;
  const service = chain.service;
  const selfId = toHex(ports.self.id);
  const log = ports.log;
  const sealer = createSealer(ports);
  const pool = createPool(chain);
  const gather = createGather(ports.batch.records_max);
  const exchange = createExchange(ports, pool, onWork);
  const restored = readConsensusRecord(ports);
  const consensus = createConsensus(
    {
      genesisHash: genesis.hash,
      chain: service,
      self: selfId,
      members: chain.members.map((member) => toHex(member.id)),
      height: sealer.head.height + 1,
      timeouts: ports.timeouts,
      // Blocks without the record of what was signed for them: the store has lost something, so this node must not vote yet.
      abstain: restored === undefined && sealer.head.height > 0,
      sign: (bytes) => ports.signer.sign(bytes),
      verify(node, bytes, signature) {
        const member = chain.members.find((candidate) => toHex(candidate.id) === node);
        return member !== undefined && ports.verify(member.key, bytes, signature);
      },
    },
    restored,
  );
  const runner = createRunner({
    consensus,
    monotonic_ms: ports.monotonic_ms,
    persist: (record) => store.write((writer) => writer.putConsensus(service, record)),
    setTimer: ports.setTimer,
    clearTimer: ports.clearTimer,
    perform,
    onFatal: ports.onFatal,
  });
  /** proposals that wait for temporary blocks */
  let judging: Extract<Effect, { type: "validate" }>[] = [];
  /** blocks from peers above the next height */
  const ahead = new Map<number, { readonly from: string; readonly bytes: Uint8Array }>();
  /** the consensus' decision for the next height, until it is stored */
  let decided: Extract<Effect, { type: "decide" }> | undefined;
  let storing = false;
  let resending = false;
  let nextNumber = firstFreeNumber();
  let asked = 0;
  let stopped = false;

  function firstFreeNumber(): number {
    const sealed = store.origin(service, ports.self.id);
    const own = store.batches(service).filter((stored) => toHex(stored.origin) === selfId);
    return Math.max(
      sealed?.next ?? 0,
      ...(sealed?.beyond ?? []).map((number) => number + 1),
      ...own.map((stored) => stored.number + 1),
    );
  }

  function onWork(): void {
    if (stopped) return;
    runner.feed({ type: "work", available: pool.hasWork() });
    for (const effect of judging.splice(0)) judge(effect);
    void settle();
    startResending();
  }

  function startResending(): void {
    if (resending || stopped || (pool.size === 0 && judging.length === 0 && decided === undefined)) return;
    resending = true;
    ports.setTimer("resend", RESEND_MS, () => {
      resending = false;
      exchange.resend();
      onWork();
    });
  }

  function perform(effect: Exclude<Effect, { type: "persist" | "setTimer" | "clearTimer" }>): void {
    switch (effect.type) {
      case "send": {
        const frame = encodeFrame("consensus", service, effect.bytes);
        const receivers = effect.to === "all" ? chain.members.map((member) => toHex(member.id)) : [effect.to];
        for (const node of receivers) if (node !== selfId) ports.send(node, frame);
        return;
      }
      case "build":
        return build(effect.height, effect.round);
      case "validate":
        return judge(effect);
      case "decide":
        decided = effect;
        return void settle();
      case "need": {
        asked += 1;
        const peer = effect.from[asked % Math.max(1, effect.from.length)];
        if (peer !== undefined) askForBlocks(peer);
        return;
      }
      case "behind":
        return askForBlocks(effect.peer);
      case "serveDecision":
        return serveBlocks(effect.to, effect.height, 1);
      case "evidence":
        log.warn(
          { first: effect.evidence.first, second: effect.evidence.second },
          "a member signed two statements for one vote",
        );
        return;
    }
  }

  function build(height: number, round: number): void {
    const batches = pool.candidates((read) => sealable(read.batch));
    const built = sealer.build({ batches, anchors: ports.anchors() });
    if (built === undefined) {
      pool.markBarren(batches.map(({ read }) => read.id));
      runner.feed({ type: "work", available: pool.hasWork() });
      return;
    }
    runner.feed({ type: "built", height, round, id: built.id, body: built.body });
  }

  function sealable(name: { readonly origin: Uint8Array; readonly number: number }): boolean {
    const state = store.origin(service, name.origin);
    return state === undefined || (name.number >= state.next && !state.beyond.includes(name.number));
  }

  /** Composes the proposed block; waits where a temporary block of it is not here yet. */
  function judge(effect: Extract<Effect, { type: "validate" }>): void {
    if (effect.height !== sealer.head.height + 1) return;
    const { height, round, id, fresh } = effect;
    const answer = (valid: boolean) => runner.feed({ type: "validated", height, round, id, fresh, valid });
    if (sealer.isKnown(id) && !fresh) return answer(true);
    let resolved: ReturnType<typeof resolve>;
    try {
      resolved = resolve(effect.body);
    } catch (error) {
      log.warn({ height, reason: reasonOf(error) }, "malformed proposal");
      return answer(false);
    }
    const { proposal, missing, batches } = resolved;
    const distinct = new Set(proposal.batches.map((batch) => toHex(batch.id))).size === proposal.batches.length;
    const accepted = proposal.batches.every((batch) => exchange.isAccepted(batch, batch.acknowledgements));
    if (!distinct || !accepted) return answer(false);
    if (missing.length > 0) {
      for (const name of missing) exchange.need(name);
      judging = [...judging.filter((waiting) => waiting.height === height).slice(-7), effect];
      return startResending();
    }
    const valid = sealer.judge(id, proposal, batches, fresh);
    if (!valid) log.warn({ height, round, id: toHex(id) }, "proposal is not the block it says");
    answer(valid);
  }

  /** Stores the decided block, once its temporary blocks are here and no peer's copy of it is being stored. */
  async function settle(): Promise<void> {
    if (decided === undefined || storing || stopped) return;
    if (decided.height !== sealer.head.height + 1) {
      decided = undefined;
      return;
    }
    const { id, body, certificate } = decided;
    if (!sealer.isKnown(id)) {
      const { missing, batches, proposal } = resolve(body);
      if (missing.length > 0) {
        for (const name of missing) exchange.need(name);
        return startResending();
      }
      assertInvariant(sealer.judge(id, proposal, batches, false), `decided block ${toHex(id)} is valid`);
    }
    await storeNext(() => sealer.commit(id, certificate));
  }

  /** The temporary blocks that a proposal names: those that are here, and the names of the others. */
  function resolve(body: Uint8Array) {
    const proposal = decodeProposalBody(body);
    const missing = proposal.batches.filter((batch) => pool.find(batch.id) === undefined);
    const batches = proposal.batches.flatMap(({ id, acknowledgements }) => {
      const read = pool.find(id);
      return read === undefined ? [] : [{ read, acknowledgements }];
    });
    return { proposal, missing, batches };
  }

  /** Stores one block at a time and goes on from it; false where a peer's block was refused. */
  async function storeNext(work: () => Promise<SealedBlock>): Promise<boolean> {
    assertInvariant(!storing, "one block of a chain is stored at a time");
    storing = true;
    let sealed: SealedBlock;
    try {
      sealed = await work();
    } catch (error) {
      if (error instanceof WireError) log.warn({ reason: error.message }, "a peer's block was refused");
      else ports.onFatal(error);
      return false;
    } finally {
      storing = false;
    }
    afterSealing(sealed);
    return true;
  }

  function afterSealing(sealed: SealedBlock): void {
    const { block } = sealed;
    for (const { id } of block.batches) {
      for (const record of pool.find(id)?.records ?? []) gather.forget(record.kid, record.claims.seq);
    }
    for (const record of sealed.records) gather.forget(record.kid, record.seq);
    pool.remove(block.batches.map((batch) => batch.id));
    pool.retain(sealable);
    judging = [];
    decided = undefined;
    const id = sealed.head.headerHash;
    const members = chain.members.map((member) => toHex(member.id));
    log.info(
      { height: block.height, records: sealed.records.length, id: toHex(id), round: block.certificate.round },
      "sealed",
    );
    ports.onSealed(sealed);
    runner.feed({ type: "committed", height: block.height, id, members, work: pool.hasWork() });
    if (gather.pending > 0) scheduleCut();
    void adoptNext();
  }

  async function adoptNext(): Promise<void> {
    if (storing || stopped) return;
    const next = ahead.get(sealer.head.height + 1);
    for (const height of ahead.keys()) if (height <= sealer.head.height + 1) ahead.delete(height);
    if (next === undefined) return;
    const adopted = await storeNext(() => sealer.adopt(next.bytes));
    if (!adopted) return settle();
    if (ahead.size === 0) askForBlocks(next.from);
  }

  function askForBlocks(peer: string): void {
    ports.send(peer, encodeFrame("needBlocks", service, encodeNeedBlocks(sealer.head.height + 1)));
  }

  function serveBlocks(to: string, from: number, count: number): void {
    let bytes = 0;
    const last = Math.min(sealer.head.height, from + count - 1);
    for (let height = from; height <= last && bytes < SERVED_BYTES_MAX; height += 1) {
      const block = store.block(service, height);
      if (block === undefined) return;
      bytes += block.length;
      ports.send(to, encodeFrame("block", service, block));
    }
  }

  function onBlock(from: string, bytes: Uint8Array): void {
    const height = heightOf(bytes);
    const next = sealer.head.height + 1;
    if (height < next || height >= next + AHEAD_MAX || ahead.has(height)) return;
    ahead.set(height, { from, bytes: Uint8Array.from(bytes) });
    void adoptNext();
  }

  function scheduleCut(): void {
    ports.setTimer("cut", ports.batch.interval_ms, () => void cut());
  }

  /** Makes temporary blocks of what waits; the rest stays durable as single records until the pool has room. */
  async function cut(): Promise<void> {
    if (stopped || gather.pending === 0 || !ownRoom()) return;
    const taken = gather.cut();
    // What another node has brought onto the chain meanwhile falls out here, a fork does not.
    const records = taken.filter((record) => chainKnows(record) !== "sealed");
    const number = nextNumber;
    if (records.length > 0) nextNumber += 1;
    const batch = {
      chain: service,
      origin: ports.self.id,
      number,
      credentials: newCredentials(records),
      records: records.map((record) => record.stripped),
    };
    const sign = (bytes: Uint8Array) => ports.signer.sign(bytes);
    const read = records.length === 0 ? undefined : makeBatch(genesis.hash, batch, records, sign);
    try {
      await store.write((writer) => {
        if (read !== undefined) writer.putBatch(service, { origin: ports.self.id, number, bytes: read.bytes });
        for (const record of taken) writer.deleteAdmitted(service, record.kid, record.claims.seq);
      });
    } catch (error) {
      ports.onFatal(error);
      return;
    }
    for (const record of taken) if (!records.includes(record)) gather.forget(record.kid, record.claims.seq);
    if (read !== undefined) exchange.publish(read);
    startResending();
    if (gather.pending > 0) scheduleCut();
  }

  /** Own temporary blocks under way leave room for others' and for the chain to follow. */
  function ownRoom(): boolean {
    return pool.unacknowledged(ports.self.id).length + pool.acceptedOf(ports.self.id).length < 32;
  }

  function newCredentials(records: readonly Record[]): Uint8Array[] {
    const credentials = new Map<string, Uint8Array>();
    for (const { kid } of records) {
      const id = toHex(kid);
      if (credentials.has(id) || store.credential(service, kid) !== undefined) continue;
      const shown = store.credential(0, kid);
      assertInvariant(shown !== undefined, `meter ${id} has shown its credential before its record was admitted`);
      credentials.set(id, shown);
    }
    return [...credentials.values()];
  }

  function chainKnows(record: Record): "sealed" | "other" | "none" {
    if (store.location(service, record.kid, record.claims.seq) === undefined) return "none";
    const hash = sealer.tip.view.sealedHash(toHex(record.kid), record.claims.seq)!;
    return toHex(hash) === toHex(record.hash) ? "sealed" : "other";
  }

  return {
    get head() {
      return sealer.head;
    },
    get pendingRecords() {
      return gather.pending;
    },
    start() {
      exchange.restore();
      for (const bytes of store.admitted(service)) gather.add(parseRecord(bytes));
      runner.feed({ type: "start" });
      if (gather.pending > 0) scheduleCut();
      onWork();
    },
    known(record) {
      const waiting = gather.waiting(record);
      if (waiting !== "none") return waiting === "same" ? "waiting" : "other";
      return chainKnows(record);
    },
    async admit(record, disclosures) {
      const waiting = gather.waiting(record);
      if (waiting === "same") return "waiting";
      // Another record with this number waits: the meter says it again, and when that one is sealed this one proves the fork.
      if (waiting === "other" || !gather.hasRoom || stopped) return "busy";
      const first = gather.pending === 0;
      const full = gather.add(record);
      const { kid } = record;
      const { seq } = record.claims;
      await store.write((writer) => {
        writer.putAdmitted(service, kid, seq, record.stripped);
        if (disclosures !== undefined) writer.putDisclosures(service, kid, seq, disclosures);
      });
      if (full) void cut();
      else if (first) scheduleCut();
      return "admitted";
    },
    async onFrame(from, frame) {
      if (stopped) return;
      switch (frame.kind) {
        case "consensus":
          return runner.feed({ type: "message", from, message: decodeMessage(frame.payload) });
        case "batch":
          await exchange.onBatch(from, frame.payload);
          return onWork();
        case "acknowledge":
          return exchange.onAcknowledge(from, frame.payload);
        case "accepted":
          return exchange.onAccepted(from, frame.payload);
        case "needBatch":
          return exchange.onNeedBatch(from, frame.payload);
        case "needBlocks":
          return serveBlocks(from, decodeNeedBlocks(frame.payload), SERVED_BLOCKS_MAX);
        case "block":
          return onBlock(from, frame.payload);
      }
    },
    onPeer(node) {
      if (stopped) return;
      ports.send(
        node,
        encodeFrame("consensus", service, encodeMessage({ type: "status", height: sealer.head.height + 1 })),
      );
      exchange.resend();
    },
    hasMember: (node) => chain.members.some((member) => toHex(member.id) === node),
    isWaiting: (kid, seq) => gather.isWaiting(kid, seq),
    stop() {
      stopped = true;
      runner.stop();
      for (const name of ["cut", "resend"]) ports.clearTimer(name);
    },
  };
}

function readConsensusRecord(ports: ChainPorts) {
  const { service } = ports.chain;
  const bytes = ports.store.consensus(service);
  if (bytes === undefined) return undefined;
  try {
    return decodeRecord(bytes, toHex(ports.self.id));
  } catch (cause) {
    throw new GridsealError("STORE_CORRUPT", `consensus record of chain ${service} is damaged: ${reasonOf(cause)}`, {
      cause,
    });
  }
}

/** Height of an encoded block, from its format part alone; what it says is checked when its turn comes. */
function heightOf(bytes: Uint8Array): number {
  const limits = { size: BLOCK_BYTES_MAX, items: 16 };
  const format = bytes.subarray(1, 1 + guardCborPrefix(bytes.subarray(1), limits));
  return asUint(asArray(decodeCbor(format, limits), "block format", 5)[4], "block height");
}

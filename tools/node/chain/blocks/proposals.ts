// What the consensus asks of a chain about values: to propose one, and whether a proposed one is the block that it says. A proposal
// names temporary blocks; the question waits while one of them, or an order that the proposal names, is not here, and while a block
// is being written, as the store is ahead of the head then.

import { toHex } from "../../../../src/wire/bytes.js";
import { WireError } from "../../../../src/wire/error.js";
import type { Effect, Input } from "../../../consensus/types.js";
import { GridsealError, reasonOf } from "../../../errors.js";
import { type AcceptedBatch, createNumbering, sealsSomething } from "../../../ledger/compose.js";
import { decodeProposalBody, type ProposalBody } from "../../../ledger/proposal.js";
import type { Exchange } from "../batches/exchange.js";
import type { Pool } from "../batches/pool.js";
import type { ChainPorts } from "../ports.js";
import { viewOf } from "../stored-state.js";
import { type Built, bad, good, type Sealer, type Verdict, type Waits } from "./sealer.js";

/** Questions of one height that wait. */
const WAITING_MAX = 8;
/** A new value waits so long for temporary blocks that have just come: those that origins cut at the same time share one block. */
const COMPANY_MS = 25;

/** `waits`: something that the proposal needs is not here yet. */
type Answer = Verdict | Waits;

/** What a proposal says, or a body that was asked for: to be composed here before anything rests on it. */
export type Question = Extract<Effect, { type: "validate" }> | Extract<Input, { type: "obtained" }>;

export interface Proposals {
  /** Whether there is something to propose. */
  hasWork(): boolean;
  /** A new value for the consensus, once the temporary blocks that have just come are accepted, or have not been for a while. */
  build(height: number, round: number): void;
  /** Composes the proposed block and answers, or waits for what it needs. */
  check(question: Question): void;
  /** The proposal with its temporary blocks; undefined, and asked for, where not all that it needs is here. Throws where it is malformed. */
  gather(body: Uint8Array): Gathered | undefined;
  /** Something has come: what waits is judged again. */
  retry(): void;
  /** The height is over. */
  clear(): void;
  readonly isWaiting: boolean;
}

interface Gathered {
  readonly proposal: ProposalBody;
  readonly batches: readonly AcceptedBatch[];
}

export interface ProposalsPorts {
  readonly sealer: Sealer;
  readonly pool: Pool;
  readonly exchange: Exchange;
  feed(input: Input): void;
  /** A question waits: what it lacks is to be asked for again. */
  onWaiting(): void;
}

export function createProposals(ports: ChainPorts, parts: ProposalsPorts): Proposals {
  const { sealer, pool, exchange, feed } = parts;
  const { log } = ports;
  const view = viewOf(ports.store, ports.chain.service);
  let waiting: Question[] = [];
  /** the value that is to be built */
  let wanted: { readonly height: number; readonly round: number; readonly until_ms: number } | undefined;

  // Temporary blocks that only repeat what is sealed start no round: it could not end, with nothing to propose.
  const hasWork = () => pool.hasWork((read) => sealsSomething(sealer.tip, read));

  /** The proposal with its temporary blocks, those that are here, and the names of the others. */
  const resolve = (body: Uint8Array) => {
    const proposal = decodeProposalBody(body);
    const missing = proposal.batches.filter((batch) => pool.find(batch.id) === undefined);
    const batches = proposal.batches.flatMap(({ id, acknowledgements }) => {
      const read = pool.find(id);
      return read === undefined ? [] : [{ read, acknowledgements }];
    });
    return { proposal, missing, batches };
  };

  /** Whether everything is here that the proposal needs; what is not is asked for. */
  const isComplete = ({ proposal, missing }: ReturnType<typeof resolve>) => {
    if (missing.length === 0 && !sealer.awaits(proposal.judgedAt)) return true;
    for (const batch of missing) exchange.need(batch, batch.acknowledgements);
    return false;
  };

  const check = (question: Question): void => {
    const { height, id } = question;
    if (height !== sealer.head.height + 1) return;
    if (isFresh(question)) sealer.noteProposed(id);
    if (sealer.isSealing) return wait(question);
    const verdict = sealer.isKnown(id) && !isFresh(question) ? good : verdictOf(question);
    if (verdict.type === "waits") {
      wait(question);
      return parts.onWaiting();
    }
    if (verdict.type === "bad")
      log.warn({ height, id: toHex(id), reason: verdict.reason }, "voting against a proposal");
    answer(question, verdict.type === "good");
  };

  const wait = (question: Question): void => {
    waiting = [...waiting.filter(({ height }) => height === question.height).slice(1 - WAITING_MAX), question];
  };

  const answer = (question: Question, isValid: boolean): void => {
    if (question.type !== "validate") {
      if (isValid) feed(question);
      return;
    }
    const { height, round, id, fresh } = question;
    feed({ type: "validated", height, round, id, fresh, valid: isValid });
  };

  /** Whatever a proposal makes the code throw speaks against the proposal; what a damaged row of this node's store does, is the node's. */
  const verdictOf = (question: Question): Answer => {
    try {
      return composed(question);
    } catch (error) {
      if (error instanceof GridsealError) throw error;
      const isMalformed = error instanceof WireError;
      return bad(isMalformed ? `it is malformed: ${reasonOf(error)}` : `it cannot be judged: ${reasonOf(error)}`);
    }
  };

  const composed = (question: Question): Answer => {
    const resolved = resolve(question.body);
    const { proposal, batches } = resolved;
    const distinct = new Set(proposal.batches.map((batch) => toHex(batch.id))).size === proposal.batches.length;
    if (!distinct) return bad("it names a temporary block twice");
    if (isFresh(question) && proposal.batches.some(({ id }) => exchange.isRefuted(id))) {
      return bad("it names a temporary block with a record that does not verify");
    }
    const accepted = proposal.batches.every((batch) => exchange.isAccepted(batch, batch.acknowledgements));
    if (!accepted) return bad("it names a temporary block that is not accepted");
    if (!isComplete(resolved)) return { type: "waits" };
    return sealer.check(question.id, proposal, batches, isFresh(question));
  };

  /** Temporary blocks that no block can be built of are unusable: they fall out of the pool. */
  const buildOf = (batches: readonly AcceptedBatch[], round: number): Built | { readonly type: "unusable" } => {
    try {
      return sealer.build({ batches, anchors: ports.anchors(), round });
    } catch (error) {
      if (error instanceof GridsealError) throw error;
      const unusable = batches.length === 1 ? batches : batches.filter((batch) => !canBuild(batch, round));
      log.error({ reason: reasonOf(error), batches: unusable.length }, "no block can be built of temporary blocks");
      pool.remove((unusable.length > 0 ? unusable : batches).map(({ read }) => read.id));
      return { type: "unusable" };
    }
  };

  const canBuild = (batch: AcceptedBatch, round: number): boolean => {
    try {
      sealer.build({ batches: [batch], anchors: ports.anchors(), round });
      return true;
    } catch {
      return false;
    }
  };

  const build = (height: number, round: number): void => {
    // Each time round finds more of the temporary blocks barren, until one is not or none is left.
    while (hasWork()) {
      const takesNumber = createNumbering(view);
      const batches = inTurn(
        pool.candidates((read) => takesNumber(read.batch)),
        { ids: sealer.members.ids, previous: sealer.head.headerHash },
      );
      const built = buildOf(batches, round);
      if (built.type === "unusable") continue;
      if (built.type === "built") return feed({ ...built, height, round });
      if (built.type === "waits") {
        wanted = { height, round, until_ms: 0 };
        return;
      }
      log.debug({ height, round, reason: built.reason }, "temporary blocks make no block");
      pool.markBarren(batches.map(({ read }) => read.id));
    }
    feed({ type: "work", available: false });
  };

  const buildWhenGathered = (): void => {
    if (wanted === undefined || sealer.isSealing) return;
    const { height, round, until_ms } = wanted;
    const now_ms = ports.monotonic_ms();
    if (now_ms < until_ms && pool.isAcceptanceDue(now_ms - COMPANY_MS)) {
      return ports.setTimer("company", until_ms - now_ms, buildWhenGathered);
    }
    wanted = undefined;
    build(height, round);
  };

  return {
    hasWork,
    build(height, round) {
      wanted = { height, round, until_ms: ports.monotonic_ms() + COMPANY_MS };
      buildWhenGathered();
    },
    check,
    gather(body) {
      const resolved = resolve(body);
      return isComplete(resolved) ? resolved : undefined;
    },
    retry() {
      for (const question of waiting.splice(0)) check(question);
      buildWhenGathered();
    },
    clear() {
      waiting = [];
      wanted = undefined;
    },
    get isWaiting() {
      return waiting.length > 0;
    },
  };
}

/**
 * The temporary blocks of each origin in their order, those of another one first in each block: operations at the front find what their
 * contracts have for a block, those behind what is left. No origin can tell in advance when it is first.
 */
function inTurn(
  batches: readonly AcceptedBatch[],
  { ids, previous }: { readonly ids: readonly string[]; readonly previous: Uint8Array },
): readonly AcceptedBatch[] {
  const first = previous[previous.length - 1]! % ids.length;
  const order = [...ids.slice(first), ...ids.slice(0, first)];
  const placeOf = ({ read }: AcceptedBatch) => order.indexOf(toHex(read.batch.origin));
  return batches.toSorted((one, other) => placeOf(one) - placeOf(other));
}

function isFresh(question: Question): boolean {
  return question.type === "validate" && question.fresh;
}

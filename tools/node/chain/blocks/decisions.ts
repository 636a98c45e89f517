// The next block of a chain becomes durable: what the consensus has decided, or a peer's copy with its certificate, whichever is
// here first, one block at a time.

import { toHex } from "../../../../src/wire/bytes.js";
import { WireError } from "../../../../src/wire/error.js";
import type { Effect } from "../../../consensus/types.js";
import { assertInvariant, GridsealError } from "../../../errors.js";
import { UnknownScript } from "../../../ledger/scripts.js";
import type { ChainPorts, SealedBlock } from "../ports.js";
import type { CatchUp } from "./catch-up.js";
import type { Proposals } from "./proposals.js";
import { Disagreement, type Sealer } from "./sealer.js";

type Decision = Extract<Effect, { type: "decide" }>;

export interface Decisions {
  /** The consensus has decided: the block is stored once its temporary blocks are here. */
  decide(decision: Decision): void;
  /** Something has come that a decided block may have waited for. */
  storeDecided(): Promise<void>;
  /** Stores peers' blocks as far as they are here. */
  adopt(): Promise<void>;
  /** Orders have been sealed that a peer's block may have waited for. */
  onGoverned(): void;
  /** The next block is durable, and what was under way for its height is over. */
  clear(): void;
  readonly isWaiting: boolean;
  /** Why this node cannot go on with what a quorum has sealed; undefined where nothing is in the way. */
  readonly disagreement: string | undefined;
}

export interface DecisionsPorts {
  readonly sealer: Sealer;
  readonly proposals: Proposals;
  readonly catchUp: CatchUp;
  isStopped(): boolean;
  onSealed(sealed: SealedBlock): void;
  /** A decided block waits: what it lacks is to be asked for again. */
  onWaiting(): void;
}

export function createDecisions(ports: ChainPorts, parts: DecisionsPorts): Decisions {
  const { sealer, proposals, catchUp, isStopped } = parts;
  /** for the next height, until it is stored */
  let decided: Decision | undefined;
  /** the next block has come from a peer and waits for orders of the contracts chain */
  let awaitsOrders = false;
  let storing = false;
  let disagreement: string | undefined;

  /** Others have come to it, so this machine or what runs on it is at fault: no harm is done by standing still. */
  const disagree = (what: string, reason: string) => {
    if (disagreement !== undefined) return;
    disagreement = `${what} is sealed by a quorum and comes to something else here: ${reason}`;
    ports.onDisagreement(new GridsealError("ENGINE_DIFFERS", `chain ${ports.chain.service}: ${disagreement}`));
  };

  const storeDecided = async (): Promise<void> => {
    if (decided === undefined || storing || disagreement !== undefined || isStopped()) return;
    if (decided.height !== sealer.head.height + 1) {
      decided = undefined;
      return;
    }
    const { id, body, certificate } = decided;
    if (!sealer.isKnown(id)) {
      const gathered = proposals.gather(body);
      if (gathered === undefined) return parts.onWaiting();
      const verdict = sealer.check(id, gathered.proposal, gathered.batches, false);
      if (verdict.type === "waits") return parts.onWaiting();
      if (verdict.type === "bad") return disagree(`block ${decided.height} with id ${toHex(id)}`, verdict.reason);
    }
    await storeNext(() => sealer.commit(id, certificate));
  };

  const storeNext = async (work: () => Promise<SealedBlock | undefined>): Promise<"stored" | "refused" | "waits"> => {
    assertInvariant(!storing, "one block of a chain is stored at a time");
    storing = true;
    let sealed: SealedBlock | undefined;
    try {
      sealed = await work();
    } catch (error) {
      if (error instanceof UnknownScript) sayUnknown(ports, error);
      else if (error instanceof Disagreement) disagree(error.block, error.message);
      else if (isRunFault(error)) sayFault(ports, error, isStopped());
      else if (error instanceof WireError) ports.log.warn({ reason: error.message }, "a peer's block was refused");
      else ports.onFatal(error);
      return "refused";
    } finally {
      storing = false;
    }
    if (sealed === undefined) return "waits";
    parts.onSealed(sealed);
    return "stored";
  };

  return {
    decide(decision) {
      decided = decision;
      storeDecided().catch(ports.onFatal);
    },
    storeDecided,
    async adopt() {
      if (storing || isStopped() || awaitsOrders || disagreement !== undefined) return;
      const next = catchUp.take();
      if (next === undefined) return;
      // What comes after the last one kept travels while that is stored.
      if (catchUp.isEmpty) catchUp.ask(next.from, sealer.head.height + 2);
      const outcome = await storeNext(() => sealer.adopt(next.bytes));
      if (outcome === "waits") {
        awaitsOrders = true;
        catchUp.keep(next.from, next.bytes);
      }
      if (outcome === "stored") return;
      proposals.retry(); // what came meanwhile
      return storeDecided();
    },
    onGoverned() {
      awaitsOrders = false;
    },
    clear() {
      decided = undefined;
      awaitsOrders = false;
    },
    get isWaiting() {
      return decided !== undefined;
    },
    get disagreement() {
      return disagreement;
    },
  };
}

/** Contracts could not be run here: the block, which is not to blame, is asked for again. */
function isRunFault(error: unknown): error is GridsealError {
  return error instanceof GridsealError && error.code === "ENGINE_FAULT";
}

/** Runs that end with the node are no fault. */
function sayFault(ports: ChainPorts, error: GridsealError, stops: boolean): void {
  if (stops) return;
  ports.onRunFault();
  ports.log.error({ reason: error.message }, "contracts cannot be run here");
}

/** A quorum has sealed the next block by rules that this node does not have: other chains are none the worse for it. */
function sayUnknown({ log, chain }: ChainPorts, cause: UnknownScript): void {
  const { code, message, remedy } = new GridsealError("SCRIPT_UNKNOWN", `chain ${chain.service}: ${cause.message}`);
  log.error({ code, reason: message, remedy }, "the chain goes on without this node");
}

// What goes in and out of the consensus core: messages, inputs, effects and configuration.
// Tendermint (E. Buchman, J. Kwon, Z. Milosevic, arXiv 1807.04938), one instance a chain.

import type { Certificate } from "../../src/wire/certificate.js";
import type { MessageDrop } from "./drops.js";

/** A node's 8-byte id as 16 lower-case hex digits. */
export type NodeId = string;

/** What a vote names: a 32-byte header hash, or null for no value. */
export type Choice = Uint8Array | null;

export interface Prevote {
  readonly type: "prevote";
  readonly height: number;
  readonly round: number;
  readonly id: Choice;
  /** round of the polka that allowed the vote, or -1; makes a vote against one's lock provable */
  readonly vr: number;
  readonly node: NodeId;
  readonly signature: Uint8Array;
}

export interface Precommit {
  readonly type: "precommit";
  readonly height: number;
  readonly round: number;
  readonly id: Choice;
  readonly node: NodeId;
  readonly signature: Uint8Array;
}

export type Vote = Prevote | Precommit;

/** What a proposal signs: the body by its SHA-256. */
export interface ProposalHead {
  readonly type: "head";
  readonly height: number;
  readonly round: number;
  readonly vr: number;
  readonly id: Uint8Array;
  readonly bodyHash: Uint8Array;
  readonly node: NodeId;
  readonly signature: Uint8Array;
}

export interface Proposal {
  readonly type: "proposal";
  readonly height: number;
  readonly round: number;
  /** the proposer's validRound, or -1 for a new value */
  readonly vr: number;
  readonly id: Uint8Array;
  /** opaque: the shell made it and the shell judges it */
  readonly body: Uint8Array;
  /** a quorum's prevotes for the id in round vr; empty where vr is -1 */
  readonly polka: readonly Prevote[];
  readonly node: NodeId;
  readonly signature: Uint8Array;
}

/** A quorum's prevotes for one value in one round. */
export interface Polka {
  readonly type: "polka";
  readonly height: number;
  readonly round: number;
  readonly id: Uint8Array;
  readonly votes: readonly Prevote[];
}

/** Why its sender is in its round: votes of f+1 members in that round or higher, or a quorum's precommits of the one before. */
export interface RoundCertificate {
  readonly type: "round";
  readonly height: number;
  readonly votes: readonly Vote[];
}

/** What was decided, without its body. */
export interface Decision {
  readonly type: "decision";
  readonly height: number;
  readonly id: Uint8Array;
  readonly certificate: Certificate;
}

/** The height that its sender is about to decide: a hint, never a target. */
export interface Status {
  readonly type: "status";
  readonly height: number;
}

/** A member without its record asks whether anything was signed at this height; `run` names this run of it. */
export interface Inquiry {
  readonly type: "inquiry";
  readonly height: number;
  readonly run: number;
}

/** The answer, given where it is true: at this height I have signed nothing, and hold nothing that could be sealed. */
export interface Vouch {
  readonly type: "vouch";
  readonly height: number;
  readonly run: number;
}

export type Statement = Vote | ProposalHead;

/** Two statements of one signer for one height, round and type that differ. */
export interface Evidence {
  readonly type: "evidence";
  readonly first: Statement;
  readonly second: Statement;
}

export type Message = Proposal | Vote | Polka | RoundCertificate | Decision | Status | Inquiry | Vouch | Evidence;

export type TimerName = "propose" | "prevote" | "precommit" | "resend" | "heartbeat";

export type Input =
  /** Once, before any other: sets the timers and says STATUS. */
  | { readonly type: "start" }
  /** `from` is the authenticated peer, which need not be the signer. */
  | { readonly type: "message"; readonly from: NodeId; readonly message: Message }
  | { readonly type: "timeout"; readonly name: TimerName }
  /** Whether there is an accepted batch to propose. */
  | { readonly type: "work"; readonly available: boolean }
  /** Answers `build`. No answer where there is nothing to build from. */
  | {
      readonly type: "built";
      readonly height: number;
      readonly round: number;
      readonly id: Uint8Array;
      readonly body: Uint8Array;
    }
  /** Answers `validate`, whose height, round, id and fresh it repeats. */
  | {
      readonly type: "validated";
      readonly height: number;
      readonly round: number;
      readonly id: Uint8Array;
      readonly fresh: boolean;
      readonly valid: boolean;
    }
  /** Answers `need`: the shell has the body and has found it valid for this id, apart from the clock. */
  | { readonly type: "obtained"; readonly height: number; readonly id: Uint8Array; readonly body: Uint8Array }
  /**
   * The block of this height is durably stored: only now the next height begins, with these members. Comes after `decide`, or by
   * itself where the shell caught up by certificates.
   */
  | {
      readonly type: "committed";
      readonly height: number;
      readonly id: Uint8Array;
      readonly members: readonly NodeId[];
      /** whether there is still an accepted batch to propose */
      readonly work: boolean;
    };

export type Effect =
  /** Must be durable before any later effect, of this step or of later ones, is performed. Replaces the record before it. */
  | { readonly type: "persist"; readonly record: Uint8Array }
  | {
      readonly type: "send";
      readonly to: NodeId | "all";
      readonly message: Message;
      /** the message encoded */
      readonly bytes: Uint8Array;
    }
  /** Replaces a timer of the same name. */
  | { readonly type: "setTimer"; readonly name: TimerName; readonly delay_ms: number }
  | { readonly type: "clearTimer"; readonly name: TimerName }
  | { readonly type: "build"; readonly height: number; readonly round: number }
  /** Only fresh proposals are held to the clock. */
  | {
      readonly type: "validate";
      readonly height: number;
      readonly round: number;
      readonly id: Uint8Array;
      readonly body: Uint8Array;
      readonly fresh: boolean;
    }
  | {
      readonly type: "decide";
      readonly height: number;
      readonly round: number;
      readonly id: Uint8Array;
      readonly body: Uint8Array;
      /** exactly a quorum or, received from a peer, at least one; in the order of the members */
      readonly certificate: Certificate;
    }
  /**
   * A certificate names a value whose body is missing, or that of this height one that the shell cannot judge; `from` are likely to have it,
   * the likeliest first. Said again every resend.
   */
  | { readonly type: "need"; readonly height: number; readonly id: Uint8Array; readonly from: readonly NodeId[] }
  /** The peer showed a valid certificate of a later height; the shell may fetch the decisions between. */
  | { readonly type: "behind"; readonly height: number; readonly peer: NodeId }
  /** The peer is at this decided height: the shell answers with its DECISION. */
  | { readonly type: "serveDecision"; readonly to: NodeId; readonly height: number }
  /** A member without its record asks; the shell answers with a VOUCH unless it holds what could be sealed. */
  | { readonly type: "vouch"; readonly to: NodeId; readonly height: number; readonly run: number }
  /** Equivocation, said once for a signer, height, round and type. */
  | { readonly type: "evidence"; readonly evidence: Evidence }
  /** A peer's message was of no use; for counting alone. */
  | { readonly type: "drop"; readonly reason: MessageDrop };

export interface Timeouts {
  /** of the propose step in round 0, and what each further round adds */
  readonly propose_ms: number;
  readonly proposeStep_ms: number;
  /** of the prevote and precommit steps in round 0, and what each further round adds */
  readonly vote_ms: number;
  readonly voteStep_ms: number;
  /** none is longer; must exceed the real delay and the verification of a full block */
  readonly cap_ms: number;
  readonly resend_ms: number;
  readonly heartbeat_ms: number;
}

/** Between sites. */
export const wideAreaTimeouts: Timeouts = Object.freeze({
  propose_ms: 1_000,
  proposeStep_ms: 500,
  vote_ms: 500,
  voteStep_ms: 250,
  cap_ms: 8_000,
  resend_ms: 2_000,
  heartbeat_ms: 30_000,
});

/** Within one: a third, but for the cap and the two periods. */
export const localTimeouts: Timeouts = Object.freeze({
  ...wideAreaTimeouts,
  propose_ms: 333,
  proposeStep_ms: 167,
  vote_ms: 167,
  voteStep_ms: 83,
});

export interface ConsensusConfig {
  readonly genesisHash: Uint8Array;
  readonly chain: number;
  /** undefined for a follower, which never signs */
  readonly self: NodeId | undefined;
  /** of the next height, in the order that the chain gives them */
  readonly members: readonly NodeId[];
  /** the next height to decide */
  readonly height: number;
  readonly timeouts: Timeouts;
  /** The key has signed here before but the record is missing or damaged: follow, and abstain until that is safe. */
  readonly abstain: boolean;
  /** names this run among those of the node, so that an answer to an earlier one counts for nothing */
  readonly run: number;
  /** 64 bytes */
  sign(bytes: Uint8Array): Uint8Array;
  /** Whether the signature is the member's; false for whatever cannot be checked. */
  verify(node: NodeId, bytes: Uint8Array, signature: Uint8Array): boolean;
}

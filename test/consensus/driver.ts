// Drives one core by a script: each input returns its effects as short lines, so that a test reads as what happens to a node.
// Four members n0 to n3 at height 4, where n0 proposes in round 0, n1 in round 1 and so on; values are letters.

import { fromHex } from "../../src/wire/bytes.js";
import { sha256 } from "../../src/wire/hash.js";
import { type Consensus, createConsensus } from "../../tools/consensus/core.js";
import { headOf, signedBytes, type Unsigned } from "../../tools/consensus/messages.js";
import { decodeRecord } from "../../tools/consensus/signed-position.js";
import type { ConsensusRecord } from "../../tools/consensus/state.js";
import {
  type Choice,
  type ConsensusConfig,
  type Decision,
  type Effect,
  type Input,
  type Message,
  type NodeId,
  type Polka,
  type Precommit,
  type Prevote,
  type Proposal,
  type ProposalHead,
  type Statement,
  type TimerName,
  type Vote,
  wideAreaTimeouts,
} from "../../tools/consensus/types.js";
import { chain, fakeSign, fakeVerify, genesisHash, nodeId } from "./keys.js";

export const HEIGHT = 4;
/** what names the run of a driven node */
export const RUN = 1_790_000_000_000;

export function members(count = 4): NodeId[] {
  return Array.from({ length: count }, (_, index) => nodeId(index));
}

/** The body of a letter's value, and its id. */
export function bodyOf(letter: string): Uint8Array {
  return new TextEncoder().encode(`body of ${letter}`);
}

export function idOf(letter: string): Uint8Array {
  return new Uint8Array(32).fill(letter.charCodeAt(0));
}

function choiceOf(letter: string | null): Choice {
  return letter === null ? null : idOf(letter);
}

function letterOf(id: Choice): string {
  return id === null ? "nil" : String.fromCharCode(id[0]!);
}

function signFor(
  node: NodeId,
  statement: Unsigned<Prevote> | Unsigned<Precommit> | Unsigned<ProposalHead>,
): Uint8Array {
  return fakeSign(node, signedBytes(genesisHash, chain, statement));
}

export function prevote(index: number, round: number, letter: string | null, vr = -1, height = HEIGHT): Prevote {
  const node = nodeId(index);
  const statement = { type: "prevote" as const, height, round, id: choiceOf(letter), vr };
  return { ...statement, node, signature: signFor(node, statement) };
}

export function precommit(index: number, round: number, letter: string | null, height = HEIGHT): Precommit {
  const node = nodeId(index);
  const statement = { type: "precommit" as const, height, round, id: choiceOf(letter) };
  return { ...statement, node, signature: signFor(node, statement) };
}

/** Of the round's proposer, with `body` in place of the letter's own where that is given. */
export function proposal(
  round: number,
  letter: string,
  options: { vr?: number; polka?: readonly Prevote[]; height?: number; body?: Uint8Array; from?: number } = {},
): Proposal {
  const { vr = -1, polka = [], height = HEIGHT, body = bodyOf(letter), from = (height + round) % 4 } = options;
  const node = nodeId(from);
  const id = idOf(letter);
  const signature = signFor(node, { type: "head", height, round, vr, id, bodyHash: sha256(body) });
  return { type: "proposal", height, round, vr, id, body, polka, node, signature };
}

export function polka(round: number, letter: string, indexes: readonly number[], height = HEIGHT): Polka {
  const votes = indexes.map((index) => prevote(index, round, letter, -1, height));
  return { type: "polka", height, round, id: idOf(letter), votes };
}

export function decision(round: number, letter: string, indexes: readonly number[], height = HEIGHT): Decision {
  const votes = indexes.map((index) => precommit(index, round, letter, height));
  const signatures = votes.map(({ node, signature }) => ({ node: fromHex(node)!, signature }));
  return { type: "decision", height, id: idOf(letter), certificate: { round, signatures } };
}

export interface Driver {
  readonly core: Consensus;
  now_ms(): number;
  /** One input at the present time; what came of it, a line an effect. */
  feed(input: Input): string[];
  receive(from: number, ...messages: Message[]): string[];
  /** Lets the delay of the timer pass, and fires it. */
  timeout(name: TimerName): string[];
  wait(delay_ms: number): void;
  validated(round: number, letter: string, valid?: boolean, fresh?: boolean): string[];
  built(round: number, letter: string): string[];
  committed(letter: string, options?: { height?: number; work?: boolean }): string[];
  /** The newest record, decoded: the restored one until there is another. */
  record(): ConsensusRecord;
  /** The effects of the last input. */
  readonly effects: readonly Effect[];
}

export interface DriverOptions {
  readonly self?: number | undefined;
  readonly restored?: ConsensusRecord;
  readonly config?: Partial<ConsensusConfig>;
}

/** A started core that has said its first words already. */
export function createDriver({ self, restored, config }: DriverOptions): Driver {
  const id = self === undefined ? undefined : nodeId(self);
  let now_ms = 1_000;
  let record: Uint8Array | undefined;
  let effects: Effect[] = [];
  const delays = new Map<TimerName, number>();
  const core = createConsensus(
    {
      genesisHash,
      chain,
      self: id,
      members: members(),
      height: HEIGHT,
      timeouts: wideAreaTimeouts,
      abstain: false,
      run: RUN,
      sign: (bytes) => fakeSign(id!, bytes),
      verify: fakeVerify,
      ...config,
    },
    restored,
  );

  function feed(input: Input): string[] {
    effects = core.step(input, now_ms);
    for (const effect of effects) {
      if (effect.type === "persist") record = effect.record;
      if (effect.type === "setTimer") delays.set(effect.name, now_ms + effect.delay_ms);
      if (effect.type === "clearTimer") delays.delete(effect.name);
    }
    return effects.filter(({ type }) => type !== "drop").map(lineOf);
  }

  const driver: Driver = {
    core,
    now_ms: () => now_ms,
    feed,
    receive: (from, ...messages) =>
      messages.flatMap((message) => feed({ type: "message", from: nodeId(from), message })),
    timeout(name) {
      const due_ms = delays.get(name);
      if (due_ms === undefined) throw new Error(`timer ${name} is not set`);
      now_ms = Math.max(now_ms, due_ms);
      return feed({ type: "timeout", name });
    },
    wait(delay_ms) {
      now_ms += delay_ms;
    },
    validated: (round, letter, valid = true, fresh = true) =>
      feed({ type: "validated", height: core.position().height, round, id: idOf(letter), fresh, valid }),
    built: (round, letter) =>
      feed({ type: "built", height: core.position().height, round, id: idOf(letter), body: bodyOf(letter) }),
    committed: (letter, { height = HEIGHT, work = false } = {}) =>
      feed({ type: "committed", height, id: idOf(letter), members: members(), work }),
    record() {
      if (record !== undefined) return decodeRecord(record, id!);
      if (restored === undefined) throw new Error("nothing was persisted");
      return restored;
    },
    get effects() {
      return effects;
    },
  };
  feed({ type: "start" });
  return driver;
}

/** An effect in a few words. */
function lineOf(effect: Effect): string {
  switch (effect.type) {
    case "send":
      return `${nameOf(effect.to)} <- ${wordsOf(effect.message)}`;
    case "setTimer":
      return `set ${effect.name} ${effect.delay_ms}`;
    case "clearTimer":
      return `clear ${effect.name}`;
    case "persist":
      return "persist";
    case "build":
      return `build ${effect.round}`;
    case "validate":
      return `validate ${effect.round} ${letterOf(effect.id)}${effect.fresh ? " fresh" : ""}`;
    case "decide":
      return `decide ${letterOf(effect.id)} in ${effect.round} by ${effect.certificate.signatures.length}`;
    case "need":
      return `need ${letterOf(effect.id)} from ${effect.from.map(nameOf).join(" ")}`;
    case "behind":
      return `behind ${effect.height} ${nameOf(effect.peer)}`;
    case "serveDecision":
      return `serve ${effect.height} to ${nameOf(effect.to)}`;
    case "vouch":
      return `vouch for ${effect.height} to ${nameOf(effect.to)}`;
    case "evidence":
      return `evidence against ${nameOf(effect.evidence.first.node)}`;
    case "drop":
      return `drop ${effect.reason}`;
  }
}

function nameOf(node: NodeId): string {
  return node === "all" ? "all" : `n${Number.parseInt(node.slice(-2), 16)}`;
}

function wordsOf(message: Message): string {
  switch (message.type) {
    case "proposal":
      return `proposal ${message.round} ${letterOf(message.id)} vr ${message.vr}`;
    case "prevote":
      return `prevote ${message.round} ${letterOf(message.id)} vr ${message.vr}`;
    case "precommit":
      return `precommit ${message.round} ${letterOf(message.id)}`;
    case "polka":
      return `polka ${message.round} ${letterOf(message.id)}`;
    case "round":
      return `round by ${message.votes.map((vote: Vote) => `${vote.type} ${vote.round}`).join(", ")}`;
    case "status":
    case "inquiry":
    case "vouch":
    case "decision":
      return `${message.type} ${message.height}`;
    case "evidence":
      return "evidence";
  }
}

/** A statement's message, for evidence. */
export function statementOf(message: Proposal | Vote): Statement {
  return message.type === "proposal" ? headOf(message) : message;
}

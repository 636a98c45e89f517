// Certificates: recognised among the votes at hand, or received whole, which overrides what an equivocator told this node.

import { equalBytes, fromHex, toHex } from "../../src/wire/bytes.js";
import type { Certificate } from "../../src/wire/certificate.js";
import { assertInvariant } from "./assert.js";
import { holders, quorumOf, type State, sameId, verifyStatement } from "./state.js";
import type { NodeId, Polka, Precommit, Prevote, Vote } from "./types.js";
import { keptVote, precommitsFor, prevotesFor, roundVotes, sameVote } from "./votes.js";

/** Polkas kept whose bodies are missing; the highest rounds count. */
const POLKAS_KEPT = 4;

/** Whether the vote is its member's; one that is kept already is not verified again. */
export function isGenuine(state: State, vote: Vote): boolean {
  const kept = keptVote(state.keeper, vote);
  // What is passed on is the vote with its signature, so that one must be the kept one too.
  const isKept = kept !== undefined && sameVote(kept, vote) && equalBytes(kept.signature, vote.signature);
  return isKept || verifyStatement(state, vote);
}

/** After a prevote of this or a later round was kept: a quorum for its value is a polka. */
export function checkPolka(state: State, prevote: Prevote): void {
  const { height, round, id } = prevote;
  if (id === null || roundVotes(state.keeper, round).polka !== undefined) return;
  const votes = prevotesFor(roundVotes(state.keeper, round), id);
  if (votes.length < quorumOf(state)) return;
  learnPolka(state, { type: "polka", height, round, id, votes: votes.slice(0, quorumOf(state)) });
}

/** Remembers a verified polka for its round, if that is kept, and as a candidate for the valid value. */
export function learnPolka(state: State, polka: Polka): void {
  if (polka.round >= state.round) {
    const votes = roundVotes(state.keeper, polka.round);
    if (votes.polka === undefined) votes.polka = polka;
  }
  if (polka.round <= (state.valid?.round ?? -1)) return;
  if (state.polkas.some(({ round }) => round === polka.round)) return;
  state.polkas = [...state.polkas, polka].sort((left, right) => right.round - left.round).slice(0, POLKAS_KEPT);
}

/** Whether the prevotes are of a quorum of distinct members, for one id and round. Throws nothing. */
export function isPolka(state: State, votes: readonly Prevote[]): boolean {
  return (
    isQuorum(
      state,
      votes.map(({ node }) => node),
    ) && votes.every((vote) => isGenuine(state, vote))
  );
}

/** After a precommit for a value was kept: a quorum in its round, whichever, is a commit. */
export function checkCommit(state: State, precommit: Precommit): void {
  if (precommit.id === null || state.commit !== undefined) return;
  const votes = precommitsFor(state.keeper, precommit.round, precommit.id);
  if (votes.length < quorumOf(state)) return;
  const order = (node: NodeId) => state.members.indexOf(node);
  const signed = votes.slice(0, quorumOf(state)).sort((left, right) => order(left.node) - order(right.node));
  const signatures = signed.map(({ node, signature }) => ({ node: fromHex(node)!, signature }));
  const from = signed.map(({ node }) => node);
  state.commit = { id: precommit.id, certificate: { round: precommit.round, signatures }, from };
}

/** The precommits of a commit certificate, if they are of a quorum of members in their order and all genuine. */
export function precommitsOf(
  state: State,
  height: number,
  id: Uint8Array,
  certificate: Certificate,
): readonly Precommit[] | undefined {
  const { round } = certificate;
  const votes = certificate.signatures.map(({ node, signature }): Precommit => {
    return { type: "precommit", height, round, id, node: toHex(node), signature };
  });
  const positions = votes.map(({ node }) => state.members.indexOf(node));
  const ordered = positions.every((position, index) => position > (positions[index - 1] ?? -1));
  if (!ordered || votes.length < quorumOf(state)) return undefined;
  const genuine = (vote: Precommit) =>
    height === state.height ? isGenuine(state, vote) : verifyStatement(state, vote);
  return votes.every(genuine) ? votes : undefined;
}

/** Takes a verified commit certificate of this height; `peer` sent it and is asked first for the body. */
export function takeCommit(state: State, id: Uint8Array, certificate: Certificate, peer: NodeId): void {
  const known = state.commit;
  const signers = certificate.signatures.map(({ node }) => toHex(node));
  assertInvariant(known === undefined || sameId(known.id, id), "two quorums do not decide differently");
  state.commit = { id, certificate: known?.certificate ?? certificate, from: holders(peer, signers) };
}

function isQuorum(state: State, nodes: readonly NodeId[]): boolean {
  return nodes.length >= quorumOf(state) && new Set(nodes).size === nodes.length;
}

// A faulty member: a real node whose frames pass through somebody who has its key and means harm.
// Up to f of them must not matter. What it cannot do is sign for others.

import type { Genesis } from "../../../../src/wire/genesis.js";
import type { Signer } from "../../../../src/wire/key.js";
import { encodeMessage, signedBytes } from "../../../consensus/messages.js";
import type { ExecutionNotice } from "../../../ledger/execution.js";
import { readNotice } from "../../../ledger/notices.js";
import type { RunResult } from "../../../ledger/outcome.js";
import type { ProvedAnchor } from "../../../ledger/proposal.js";
import { decodeFrame, encodeFrame } from "../../../node/chain/frame.js";
import type { Random } from "../../rig/random.js";
import type { Membership } from "../checks/membership.js";
import type { Coverage } from "../coverage.js";
import { createDeluge } from "./deluge.js";
import { createEquivocation } from "./equivocation.js";
import { createExaggeration } from "./extremes.js";
import { fabricatedMessage } from "./fabrication.js";
import {
  createVoteCollection,
  type Forger,
  forgedBatch,
  forgedMessage,
  messageIn,
  slanderousNotice,
  withSpoiltCertificate,
} from "./forgery.js";
import { createInventions } from "./inventing.js";
import { misanchored } from "./misanchoring.js";
import { misrunning } from "./misrunning.js";
import { createRepetitions } from "./repetition.js";
import { createRubbish } from "./rubbish.js";

/** What it may do; each faulty member does some. */
export const behaviours = ["equivocate", "withhold", "mute", "forge", "replay", "flood", "lie", "censor"] as const;
/**
 * Drawn apart: `exaggerate` states extreme numbers wherever a message has one, `misanchor` proposes
 * blocks that name what other chains have not sealed, `deluge` makes one other member work for
 * nothing as fast as it can, `perjure` verifies nothing, of meters or in temporary blocks, and says
 * that it has, `shirk` acknowledges nothing of others, `repeat` makes temporary blocks of what others
 * have gathered, again and again, `recall` of what is sealed for long, `contradict` sends each one
 * three proposals of a round, `misrun` proposes blocks whose contracts came to something else, `invent`
 * states ciphertexts that open nothing.
 */
export type Behaviour =
  | (typeof behaviours)[number]
  | "exaggerate"
  | "misanchor"
  | "deluge"
  | "perjure"
  | "shirk"
  | "repeat"
  | "recall"
  | "contradict"
  | "misrun"
  | "invent";

type Send = (to: string, frame: Uint8Array) => void;

export interface Adversary {
  /** What really leaves where the node sends a frame. */
  onSend(to: string, frame: Uint8Array): readonly { readonly to: string; readonly frame: Uint8Array }[];
  /** What leaves in the place of a frame about what readings hide; undefined where it is withheld. */
  onPartFrame(to: string, frame: Uint8Array): Uint8Array | undefined;
  /** False where the node is not to see the frame. */
  onReceive(from: string, frame: Uint8Array, send: Send): boolean;
  /** A frame goes from one member to another, and somebody tells it. */
  overhear(frame: Uint8Array, send: Send): void;
  /** It takes records that no meter signed, for the others to seal. */
  readonly takesForgeries: boolean;
  /** It takes records of others for signed, whatever they are. */
  readonly perjures: boolean;
  /** What its own node says of other chains in a block of this one. */
  anchors(service: number, honest: readonly ProvedAnchor[]): readonly ProvedAnchor[];
  /** What its own node takes a block's contracts to have come to. */
  outcomes(honest: readonly RunResult[]): readonly RunResult[];
  /** What its own node is to put before a chain: evidence that is none. */
  accuse(): { readonly chain: number; readonly notice: ExecutionNotice } | undefined;
  /** What it says of its own accord. */
  tick(send: Send): void;
}

export interface AdversaryOptions {
  readonly genesis: Genesis;
  readonly membership: Membership;
  readonly self: string;
  /** ids of all other nodes */
  readonly others: readonly string[];
  readonly signer: Signer;
  readonly random: Random;
  readonly behaviours: readonly Behaviour[];
  readonly coverage: Coverage;
  /** notes its signatures as those of the node itself are noted */
  onSigned(bytes: Uint8Array): void;
}

const FRAMES_KEPT = 64;
const FLOOD_FRAMES = 40;
const ACCUSATIONS_MAX = 4;

export function createAdversary(options: AdversaryOptions): Adversary {
  const { genesis, membership, self, others, random, coverage } = options;
  const does = (behaviour: Behaviour) => options.behaviours.includes(behaviour);
  const victims = new Set(others.filter(() => random.chance(0.5)));
  const [censored, drowned, heard] = [random.pick(others), random.pick(others), [] as Uint8Array[]];
  let accusations = 0;

  const sign = (bytes: Uint8Array) => {
    options.onSigned(bytes);
    return options.signer.sign(bytes);
  };
  const forger: Forger = { genesis, membership, self, others, random, key: options.signer.key, sign };
  const votes = createVoteCollection(forger);
  const exaggeration = createExaggeration(forger);
  const equivocation = createEquivocation(forger, heard);
  const rubbish = createRubbish(forger);
  const deluge = createDeluge(forger);
  const repetitions = createRepetitions(forger, options.behaviours);
  const inventions = does("invent") ? createInventions(forger, coverage) : undefined;

  const keep = (frame: Uint8Array) => {
    heard.push(frame);
    if (heard.length > FRAMES_KEPT) heard.splice(random.below(heard.length), 1);
  };

  const forgery = (chain: number): Uint8Array | undefined => {
    const evidence = random.chance(0.15) ? votes.falseEvidence() : undefined;
    if (evidence !== undefined) return encodeFrame("consensus", chain, encodeMessage(evidence));
    const bytes = heard.length === 0 ? undefined : random.pick(heard);
    const frame = bytes === undefined ? undefined : decodeFrame(bytes);
    if (bytes === undefined || frame === undefined) return undefined;
    if (frame.kind === "batch" && random.chance(0.7)) return forgedBatch(forger, frame);
    if (random.chance(0.4)) {
      const spoilt = withSpoiltCertificate(random, bytes, frame);
      if (spoilt !== undefined) coverage.certificatesCorrupted += 1;
      if (spoilt !== undefined) return spoilt;
    }
    if (frame.kind === "consensus" && random.chance(0.7)) {
      const message = messageIn(bytes, frame);
      if (message === undefined) return undefined;
      return encodeFrame("consensus", chain, encodeMessage(forgedMessage(forger, message)));
    }
    return withFlippedBit(bytes, random);
  };

  const spreadCertificates = (bytes: Uint8Array, send: Send) => {
    const spoilt = certificateOnceComplete(votes, random, bytes);
    if (spoilt === undefined) return;
    coverage.certificatesCorrupted += 1;
    for (const victim of others) if (random.chance(0.7)) send(victim, spoilt);
  };

  return {
    takesForgeries: does("forge") || does("perjure"),
    perjures: does("perjure"),
    onSend(to, bytes) {
      keep(bytes);
      const more: { readonly to: string; readonly frame: Uint8Array }[] = [];
      if (does("forge")) spreadCertificates(bytes, (victim, spoilt) => more.push({ to: victim, frame: spoilt }));
      const frame = decodeFrame(bytes)!;
      if (does("contradict")) more.push(...equivocation.rivals(bytes, frame).map((rival) => ({ to, frame: rival })));
      const isMuted = frame.kind === "acknowledge" ? does("shirk") : does("mute") && frame.kind === "consensus";
      if (isMuted || (does("withhold") && victims.has(to) && random.chance(0.7))) {
        coverage.withheld += 1;
        return more;
      }
      const spoilt =
        does("forge") && frame.kind === "block" && random.chance(0.5)
          ? withSpoiltCertificate(random, bytes, frame)
          : undefined;
      if (spoilt !== undefined) return [{ to, frame: spoilt }, ...more];
      const extreme = does("exaggerate") ? exaggeration.of(bytes, frame) : undefined;
      if (extreme !== undefined) {
        coverage.exaggerated += 1;
        return [{ to, frame: extreme }, ...more];
      }
      const isChanged = does("equivocate") && victims.has(to) && random.chance(0.6);
      const changed = isChanged ? equivocation.of(bytes, frame) : (inventions?.onSend(bytes) ?? bytes);
      if (isChanged && changed !== bytes) coverage.equivocated += 1;
      return [{ to, frame: changed }, ...more];
    },
    onPartFrame(to, bytes) {
      const isWithheld = does("withhold") && victims.has(to) && random.chance(0.7);
      return isWithheld ? undefined : (inventions?.onSend(bytes) ?? bytes);
    },
    overhear: createIntrusion(forger, coverage),
    onReceive(from, bytes, send) {
      keep(bytes);
      if (does("deluge")) deluge.hear(bytes);
      repetitions?.hear(bytes);
      inventions?.hear(bytes);
      if (does("forge")) spreadCertificates(bytes, send);
      const frame = does("exaggerate") ? decodeFrame(bytes) : undefined;
      if (frame !== undefined) {
        exaggeration.onAcknowledge(frame, (accepted) => void spread([accepted], others, send));
      }
      const isCensored = does("censor") && from === censored && random.chance(0.9);
      if (isCensored) coverage.censored += 1;
      return !isCensored;
    },
    anchors(service, honest) {
      if (!does("misanchor") || random.chance(0.3)) return honest;
      coverage.misanchored += 1;
      return misanchored(forger, service, honest);
    },
    outcomes: does("misrun") ? misrunning(random, coverage) : (honest) => honest,
    accuse() {
      if (!does("forge") || accusations >= ACCUSATIONS_MAX || random.chance(0.8)) return undefined;
      const { service: chain } = random.pick(membership.chains);
      const notice = random.chance(0.5) ? slanderousNotice(forger, heard, chain) : votes.falseNotice();
      if (notice === undefined) return undefined;
      accusations += 1;
      coverage.accused += 1;
      return { chain, notice: readNotice(genesis.hash, notice) };
    },
    tick(send) {
      const chain = random.pick(membership.chains).service;
      const say = (
        kind: "lied" | "replayed" | "forged" | "flooded" | "exaggerated" | "fabricated",
        frame: Uint8Array,
      ) => {
        coverage[kind] += 1;
        send(random.pick(others), frame);
      };
      if (does("lie")) say("lied", rubbish.lie(chain));
      if (does("replay") && heard.length > 0) say("replayed", onOtherChain(random.pick(heard), chain, random));
      const forgedFrame = does("forge") ? forgery(chain) : undefined;
      if (forgedFrame !== undefined) say("forged", forgedFrame);
      if (does("exaggerate")) say("exaggerated", exaggeration.boast(chain));
      const isTold = membership.contracts.counts.ordered > 0 && (does("forge") || does("exaggerate"));
      const told = isTold ? fabricatedMessage(forger, chain, does("exaggerate")) : undefined;
      if (told !== undefined) say("fabricated", told);
      if (does("deluge")) coverage.drowned += spread(deluge.frames(chain), [drowned], send);
      coverage.repeated += spread(repetitions?.frames(chain) ?? [], others, send);
      spread(inventions?.frames(chain) ?? [], others, send);
      if (does("flood") && random.chance(0.2)) {
        for (let count = 0; count < FLOOD_FRAMES; count += 1) say("flooded", rubbish.frame(chain));
      }
    },
  };
}

/** Where it is no member it votes as members do, as if it were one. */
function createIntrusion(
  { genesis, membership, self, others, sign }: Forger,
  coverage: Coverage,
): Adversary["overhear"] {
  const heardOf = new WeakSet<Uint8Array>();
  return (bytes, send) => {
    if (membership.changes === 0 || heardOf.has(bytes)) return;
    heardOf.add(bytes);
    const frame = decodeFrame(bytes);
    if (frame === undefined || frame.kind !== "consensus") return;
    const message = messageIn(bytes, frame);
    const isVote = message?.type === "prevote" || message?.type === "precommit";
    if (!isVote || message.id === null || message.node === self) return;
    const { chain } = frame;
    const { height } = message;
    if (membership.isMember(chain, height, self) || !membership.isMember(chain, height, message.node)) return;
    const own = { ...message, node: self };
    const vote = { ...own, signature: sign(signedBytes(genesis.hash, chain, own)) };
    coverage.intruded += 1;
    for (const other of others) send(other, encodeFrame("consensus", chain, encodeMessage(vote)));
  };
}

/** Sends all of them to each; once more. */
function spread(frames: readonly Uint8Array[], to: readonly string[], send: Send): number {
  for (const frame of frames) for (const other of to) send(other, frame);
  return 1;
}

/**
 * A certificate as soon as a quorum's votes are here, one signature of it spoilt: for those who
 * lack a vote themselves.
 */
function certificateOnceComplete(
  votes: ReturnType<typeof createVoteCollection>,
  random: Random,
  bytes: Uint8Array,
): Uint8Array | undefined {
  const frame = decodeFrame(bytes);
  const message = frame?.kind === "consensus" ? messageIn(bytes, frame) : undefined;
  if (frame === undefined || (message?.type !== "prevote" && message?.type !== "precommit")) return undefined;
  const certificate = votes.add(frame.chain, message);
  if (certificate === undefined || random.chance(0.5)) return undefined;
  return encodeFrame("consensus", frame.chain, encodeMessage(votes.spoilt(certificate)));
}

/** One bit behind the head of the frame is another. */
function withFlippedBit(bytes: Uint8Array, random: Random): Uint8Array {
  const mutated = Uint8Array.from(bytes);
  mutated[3 + random.below(mutated.length - 3)]! ^= 1 << random.below(8);
  return mutated;
}

/** The frame as it was heard, or as if it were of another chain. */
function onOtherChain(bytes: Uint8Array, chain: number, random: Random): Uint8Array {
  const frame = decodeFrame(bytes);
  if (frame === undefined || random.chance(0.6)) return bytes;
  return encodeFrame(frame.kind, chain, frame.payload);
}

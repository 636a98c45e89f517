// What leaves a node under its own signature, read from the frames that leave it. Frames are
// decoded once however often they go.

import { toHex } from "../../../../src/wire/bytes.js";
import { decodeMessage, headOf } from "../../../consensus/messages.js";
import { decodeRecord } from "../../../consensus/signed-position.js";
import type { ConsensusRecord } from "../../../consensus/state.js";
import type { Message, NodeId, Statement } from "../../../consensus/types.js";
import { reasonOf } from "../../../errors.js";
import { byteOf, decodeFrame } from "../../../node/chain/frame.js";
import {
  CUSTODY_KEY_FRAME,
  DIVISION_FRAME,
  ENVELOPE_FRAME,
  FOUND_DISCLOSURES_FRAME,
  KEPT_FRAME,
  NEED_DISCLOSURES_FRAME,
  NEED_SHARES_FRAME,
} from "../../../node/disclosures/ports.js";

const messages = new WeakMap<Uint8Array, Message>();
const records = new WeakMap<Uint8Array, ConsensusRecord>();

/**
 * The consensus message of a frame's bytes; `frame` is what is remembered, `payload` what is read.
 */
export function messageOf(frame: Uint8Array, payload: Uint8Array): Message {
  const known = messages.get(frame);
  if (known !== undefined) return known;
  const message = decodeMessage(payload);
  messages.set(frame, message);
  return message;
}

export function recordOf(bytes: Uint8Array, self: NodeId): ConsensusRecord {
  const known = records.get(bytes);
  if (known !== undefined) return known;
  try {
    const record = decodeRecord(bytes, self);
    records.set(bytes, record);
    return record;
  } catch (error) {
    throw new Error(`stored record of ${self}: ${reasonOf(error)}`, { cause: error });
  }
}

/** All that is signed in a message, within certificates too. */
export function statementsOf(message: Message): readonly Statement[] {
  switch (message.type) {
    case "proposal":
      return [headOf(message), ...message.polka];
    case "prevote":
    case "precommit":
      return [message];
    case "polka":
    case "round":
      return message.votes;
    case "decision": {
      const { height, id, certificate } = message;
      return certificate.signatures.map(({ node, signature }) => {
        return { type: "precommit", height, round: certificate.round, id, node: toHex(node), signature };
      });
    }
    case "evidence":
      return [message.first, message.second];
    case "status":
    case "inquiry":
    case "vouch":
      return [];
  }
}

/** Names a vote or a proposal by everything but what it says. */
export function placeOf(chain: number, { node, height, round, type }: Statement): string {
  return `${chain}/${node}/${height}/${round}/${type}`;
}

/** What the statement says, but for its signature. */
export function contentOf(statement: Statement): string {
  const id = statement.id === null ? "nil" : toHex(statement.id);
  switch (statement.type) {
    case "prevote":
      return `${id} ${statement.vr}`;
    case "precommit":
      return id;
    case "head":
      return `${id} ${statement.vr} ${toHex(statement.bodyHash)}`;
  }
}

/** Frames about what readings hide. */
const hidingKinds: ReadonlyMap<number, string> = new Map([
  [CUSTODY_KEY_FRAME, "custodyKey"],
  [ENVELOPE_FRAME, "envelope"],
  [KEPT_FRAME, "envelopeKept"],
  [NEED_DISCLOSURES_FRAME, "needDisclosures"],
  [FOUND_DISCLOSURES_FRAME, "foundDisclosures"],
  [NEED_SHARES_FRAME, "needShares"],
  [DIVISION_FRAME, "division"],
]);

/** The kind of a frame, or of the message that it holds. */
export function kindOf(bytes: Uint8Array): string {
  const frame = decodeFrame(bytes);
  if (frame?.kind !== "consensus") return frame?.kind ?? hidingKinds.get(byteOf(bytes) ?? 0) ?? "noise";
  try {
    return messageOf(bytes, frame.payload).type;
  } catch {
    return "noise";
  }
}

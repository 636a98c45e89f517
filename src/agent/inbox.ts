// What the messages mean that the broker delivers. Anybody whom the broker lets in may have sent them: nothing is believed but a
// receipt that verifies, and that only of a record that is on its way, so that forged ones cost a meter little.

import { WireError } from "../wire/error.js";
import { RECEIPT_BYTES_MAX } from "../wire/receipt.js";
import { decodeRefusal, type Refusal } from "../wire/refusal.js";
import { decodeTime, type TimeTold } from "../wire/time.js";
import { parseTopic } from "../wire/topics.js";
import { decodeCommand, type ReadNow } from "./command.js";
import type { Members } from "./members.js";
import type { Judgement, ReceiptJudge } from "./receipts.js";

export type Message =
  | Judgement
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "command"; readonly command: ReadNow }
  | ({ readonly kind: "time" } & TimeTold)
  /** what proves a chain's members, looked at and taken where it does */
  | { readonly kind: "members" }
  | { readonly kind: "wrong members"; readonly reason: string }
  /** not for this meter, or nothing that a meter knows */
  | { readonly kind: "strange" };

/** Reads a message; never throws on one. */
export type Inbox = (topic: string, payload: Uint8Array, uptime_ms: number) => Message;

export function createInbox(
  network: string,
  meter: string,
  receipts: Pick<ReceiptJudge, "judge">,
  members: Pick<Members, "take">,
): Inbox {
  return (text, payload, uptime_ms) => {
    const topic = parseTopic(text);
    const ours = topic?.network === network && topic.meter === meter && payload.length <= RECEIPT_BYTES_MAX;
    if (!ours) return { kind: "strange" };
    switch (topic.kind) {
      case "receipt":
        return receipts.judge(payload, topic.service, uptime_ms);
      case "members":
        return membersIn(members, topic.service, payload);
      case "ack":
        return refusalIn(payload);
      case "time":
        return timeIn(payload);
      case "command": {
        const command = decodeCommand(payload);
        return command === undefined ? { kind: "strange" } : { kind: "command", command };
      }
      default:
        return { kind: "strange" };
    }
  };
}

function membersIn(members: Pick<Members, "take">, service: number, payload: Uint8Array): Message {
  try {
    members.take(service, payload);
    return { kind: "members" };
  } catch (thrown) {
    if (thrown instanceof WireError) return { kind: "wrong members", reason: thrown.message };
    throw thrown;
  }
}

function timeIn(payload: Uint8Array): Message {
  try {
    return { kind: "time", ...decodeTime(payload) };
  } catch (thrown) {
    if (thrown instanceof WireError) return { kind: "strange" };
    throw thrown;
  }
}

function refusalIn(payload: Uint8Array): Message {
  try {
    return { kind: "refused", refusal: decodeRefusal(payload) };
  } catch (thrown) {
    if (thrown instanceof WireError) return { kind: "strange" };
    throw thrown;
  }
}

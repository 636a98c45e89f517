// Who may connect to a node's own broker where session tokens are asked for, and which topics are whose. A client without a token is a
// stranger: it may show a credential and be told the time, which a meter without a clock needs for its first token.

import type { Holder, TokenRefusal, TokenVerdict } from "../admission/token-judge.js";
import type { Filter, PublishedTopic } from "./ingest.js";

export interface BrokerAdmission {
  judge(token: string | undefined): Promise<TokenVerdict>;
  /** Why a holder that was admitted is so no longer. */
  objection(holder: Holder): Extract<TokenVerdict, { readonly type: "refused" }> | undefined;
}

/** Of CONNACK (MQTT 3.1.1, section 3.2.2.3). */
export const returnCodes = { unavailable: 3, badToken: 4, notAuthorised: 5 } as const;

/** CONNACK of a refusal. */
export function encodeRefusedConnack(returnCode: number): Uint8Array {
  return Uint8Array.of(0x20, 2, 0, returnCode);
}

export type Admitted =
  | { readonly type: "holder"; readonly holder: Holder }
  | { readonly type: "stranger" }
  | { readonly type: "unjudged"; readonly returnCode: number }
  | {
      readonly type: "refused";
      readonly reason: TokenRefusal;
      readonly message: string;
      readonly returnCode: number;
    };

/** Who a client with this user name and password is. The name is the holder's id, as brokers that are shared tell topics by it. */
export async function admitClient(
  { judge }: BrokerAdmission,
  username: string | undefined,
  password: Uint8Array | undefined,
): Promise<Admitted> {
  if (username === undefined && password === undefined) return { type: "stranger" };
  const verdict = await judge(password === undefined ? undefined : Buffer.from(password).toString("latin1"));
  if (verdict.type === "refused") {
    const { reason, message } = verdict;
    const returnCode = reason.startsWith("token-") ? returnCodes.badToken : returnCodes.notAuthorised;
    return { type: "refused", reason, message, returnCode };
  }
  if (username === verdict.holder.id) return { type: "holder", holder: verdict.holder };
  const message = `the token is of ${verdict.holder.id}`;
  return { type: "refused", reason: "token-unproven", message, returnCode: returnCodes.badToken };
}

/** Whether the topic is the holder's own; a stranger may publish a birth. */
export function mayPublish(holder: Holder | undefined, { kind, meter }: PublishedTopic): boolean {
  return holder === undefined ? kind === "birth" : holder.id === meter;
}

/** Whether the filter is of the holder's own topics; a stranger may be told the time. */
export function maySubscribe(holder: Holder | undefined, { kind, meter }: Filter): boolean {
  return holder === undefined ? kind === "time" : holder.id === meter;
}

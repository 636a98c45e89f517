// What a node's API refuses, in one catalogue: a stable code, the status that goes with it (RFC 9110, section 15), and what to do.
// The sentence of what happened, and to what, comes with each refusal.

import { type Static, Type } from "@sinclair/typebox";

export const refusals = {
  malformed: { status: 400, remedy: "Correct the request; docs/api.md has what each path takes." },
  unauthorized: {
    status: 401,
    remedy: "Send Authorization: Bearer with a session token for this host: gridseal session token makes one.",
  },
  forbidden: {
    status: 403,
    remedy: "Ask with a credential whose role reads chains; the authority issues them. docs/api.md has the levels.",
  },
  "no-grant": {
    status: 403,
    remedy: "gridseal access list shows which requests are accepted, for whom, for which days and until when.",
  },
  "not-built": {
    status: 404,
    remedy: "Run npm run build, or take an installation that has it; the API is there all the same.",
  },
  "not-exported": {
    status: 404,
    remedy: "Ask a node of the chain: exports have sealed blocks alone, and take nothing.",
  },
  "unknown-path": { status: 404, remedy: "See docs/api.md for the paths of this API." },
  "unknown-block": {
    status: 404,
    remedy: "Ask for the chain's height with /chains; a newer block comes with /events.",
  },
  "unknown-record": {
    status: 404,
    remedy: "`gridseal record list` has the meter's numbers; a record that no node of the chain knows was never taken.",
  },
  "unknown-slot": {
    status: 404,
    remedy: "gridseal chain slots lists what is closed; the rows of older slots follow from an export of the chain.",
  },
  "unknown-violation": {
    status: 404,
    remedy: "List what there is with /violations; a node has that of its own chains alone.",
  },
  "not-computing": { status: 404, remedy: "Ask one of the nodes that the message names: they work for this request." },
  withheld: { status: 410, remedy: "Ask for other days: sums of this one are given out no more." },
  waiting: { status: 202, remedy: "Ask again in a few seconds." },
  "wrong-method": { status: 405, remedy: "Use a method that the Allow header names." },
  refused: { status: 409, remedy: "List what is sealed with /orders, and make the order again upon that." },
  pruned: { status: 410, remedy: "Ask a node that keeps whole blocks, or use an export that was made before." },
  "foreign-host": {
    status: 421,
    remedy: "Ask it as localhost or by its address, or add the name to api.hosts in node.json.",
  },
  "not-taken": {
    status: 422,
    remedy: "PROTOCOL.md, section 15, says of each reason what to do; keep the record until its receipt is there.",
  },
  "not-enrolled": {
    status: 422,
    remedy:
      "Correct what the message names and send it again; where the code is used up, ask the authority for another.",
  },
  "rate-limited": { status: 429, remedy: "Ask again after the seconds that Retry-After names." },
  failed: { status: 500, remedy: "Ask another node of the chain, and report what was asked." },
  damaged: { status: 500, remedy: "Ask another node of the chain; the operator of this one is told." },
  busy: { status: 503, remedy: "Ask again after the seconds that Retry-After names, or another node of the chain." },
  unreachable: { status: 503, remedy: "Submit it to one of the nodes that the message names." },
} as const;

export type RefusalCode = keyof typeof refusals;

/** What any route may answer beside its own. */
export const anywhere: readonly RefusalCode[] = [
  "unauthorized",
  "forbidden",
  "foreign-host",
  "rate-limited",
  "failed",
  "busy",
];

/** The body of every answer that is a refusal. */
export const RefusalAnswer = Type.Object({
  code: Type.String({ maxLength: 64 }),
  message: Type.String(),
  remedy: Type.String(),
});
export type RefusalAnswer = Static<typeof RefusalAnswer>;

export function refusalAnswer(code: RefusalCode, message: string): RefusalAnswer {
  return { code, message, remedy: refusals[code].remedy };
}

// What a run of a contract comes to: a value, the same on every machine. What is wrong with the
// machine is no outcome: the engine throws it as ENGINE_FAULT.

import { type CborValue, encodeCbor } from "../../src/wire/cbor.js";
import type { FailureReason } from "../../src/wire/outcome.js";

/** Why a run failed. What it did until then is undone. */
export const failures = {
  budget: "it used up its budget",
  memory: "it used up its memory",
  output: "it put out more than it may",
  state: "it read or wrote where it must not, or too much",
  value: "it put out what is neither integer nor text",
  source: "its source is no module that stands alone",
  shape: "it exports no such function, or prefixes that are none",
  returned: "its function returned something; an async one does",
  threw: "it threw",
  hops: "it answers with one message too many in a row",
} as const satisfies Readonly<Record<FailureReason, string>>;

export type Failure = FailureReason;

/** Contents are encoded by our CBOR: what contracts put out is bytes before anybody looks at it. */
export interface Done {
  readonly type: "done";
  /** interrupts until its end */
  readonly used: number;
  /** by key, ascending in code points; null deletes */
  readonly writes: readonly (readonly [key: string, value: Uint8Array | null])[];
  /** what was emitted, in its order */
  readonly emissions: readonly Emission[];
}

export interface Failed {
  readonly type: "failed";
  readonly reason: Failure;
  readonly used: number;
  /** for the author alone; no part of the encoded outcome */
  readonly detail: string;
}

export type Outcome = Done | Failed;

/** The block has too little left for it, or had for one of its kind before it: it comes in a later block. */
export interface Postponed {
  readonly type: "postponed";
}

/** What a call of a plan comes to in its block. */
export type RunResult = Outcome | Postponed;

/** Something that a run says beside what it writes. */
export type Emission =
  /** an outcome with a receipt of its own */
  | { readonly type: "effect"; readonly name: string; readonly body: Uint8Array }
  /** a statement against a meter, a node or a participant */
  | { readonly type: "violation"; readonly name: string; readonly subject: Uint8Array; readonly body: Uint8Array }
  /** the rule by which what was asked is not done */
  | { readonly type: "denial"; readonly name: string; readonly body: Uint8Array }
  /** addressed to another chain */
  | { readonly type: "message"; readonly service: number; readonly name: string; readonly body: Uint8Array };

const codes = { effect: 1, violation: 2, denial: 3, message: 4 } as const;

/**
 * The one encoding of an outcome, by which two machines compare: `[1, used, writes, emissions]`, or
 * `[0, used, reason]`.
 */
export function encodeOutcome(outcome: Outcome): Uint8Array {
  if (outcome.type === "failed") return encodeCbor([0, outcome.used, outcome.reason]);
  const writes = outcome.writes.map(([key, value]) => [key, value] as const);
  return encodeCbor([1, outcome.used, writes, outcome.emissions.map(emissionArray)]);
}

function emissionArray(emission: Emission): CborValue {
  const { type, name, body } = emission;
  if (type === "violation") return [codes[type], name, body, emission.subject];
  if (type === "message") return [codes[type], name, body, emission.service];
  return [codes[type], name, body];
}

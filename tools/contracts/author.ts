// What a contract is written against: `import type` it from a copy beside the contract, which
// `gridseal contract new` makes. docs/contracts.md says how a contract is written.

/**
 * Integers and text. A number is an integer within 2^53, a bigint one of 64 bits; floats are refused.
 * An integer beyond 2^53 comes in as a bigint.
 */
export type Value = null | boolean | number | bigint | string | readonly Value[] | { readonly [key: string]: Value };

/** What a function of a contract sees, and what it may do. */
export interface Context {
  /** height of the block */
  readonly height: number;
  /** UTC seconds of the block */
  readonly time_s: number;
  /** what the jurisdiction has set; an order changes it */
  readonly parameters: { readonly [name: string]: Value };
  /** The state's value of a key under a prefix in `reads` or `writes`. */
  get(key: string): Value | undefined;
  /** Keys that begin with the prefix, ascending. */
  keys(prefix: string): string[];
  /** Sets a key under a prefix in `writes`. Under `due/` the value is [UTC seconds, body]: then `due` is called with it. */
  put(key: string, value: Value): void;
  /** Removes a key under a prefix in `writes`. */
  remove(key: string): void;
  /** An outcome that gets a receipt of its own. */
  effect(name: string, body: Value): void;
  /** A statement against whoever has this ID, 16 hex digits. */
  violation(name: string, subject: string, body: Value): void;
  /** Says by which rule what was asked is not done. It does not end the function. */
  deny(rule: string, body?: Value): void;
  /** What another service's chain is told. */
  message(service: number, name: string, body: Value): void;
}

/** What a participant has signed. */
export interface Operation {
  readonly type: number;
  /** the participant's ID, 16 hex digits */
  readonly participant: string;
  /** the text by which the authority knows the participant, whatever keys it signs with: at most 64 characters */
  readonly issued_id: string;
  /** numbers of the roles that its credential has (PROTOCOL.md, section 5) */
  readonly roles: readonly number[];
  /** ISO 3166 code of the law that it is under */
  readonly jurisdiction: string | null;
  readonly seq: number;
  readonly time_s: number;
  readonly body: Value;
}

/** What another chain tells this one. */
export interface Message {
  /** the chain that it comes from, and its number among those from there to here */
  readonly service: number;
  readonly number: number;
  /** the contract that has put it out; null of the rules themselves, which tell the contracts chain what blocks hold against somebody */
  readonly contract: string | null;
  readonly name: string;
  readonly body: Value;
  /** height and UTC seconds of its block */
  readonly height: number;
  readonly time_s: number;
}

/** What the contract has put under `due/` in its state, and is in it no more. */
export interface Deadline {
  /** without `due/` */
  readonly key: string;
  readonly time_s: number;
  readonly body: Value;
}

/** What a point has taken and given in a slot. */
export type SlotRow = readonly [point: string, taken: Value, given: Value, quality: number, doubts: number];

/** Rows of a settlement interval that has closed: 500 at a time, in as many calls as it takes. */
export interface Slot {
  readonly start_s: number;
  readonly length_s: number;
  /** how many points the slot has */
  readonly count: number;
  /** place of the first row here among all, from 0 */
  readonly first: number;
  /**
   * A row a point, ascending by its ID: the ID, mWh taken and given (null where unknown or not measured), quality. 1: both ends of the
   * slot were read; 2: one at least was interpolated; 3: an energy is missing. A meter without assignment is a point by its own ID.
   * Doubts: the kinds that meters have sealed with the readings at its ends, as bits 0 to 30 (PROTOCOL.md, section 4).
   */
  readonly points: readonly SlotRow[];
}

/** What a contract exports. `reads` and `writes` it always does, of the functions those it has. */
export interface Contract {
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  operation?(context: Context, operation: Operation): void;
  message?(context: Context, message: Message): void;
  slot?(context: Context, slot: Slot): void;
  due?(context: Context, deadline: Deadline): void;
}

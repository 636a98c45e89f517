// What a run reads, writes and says, held apart from the state until it is done. It alone decides
// what is allowed: the guest's side may be wrong, or not what runs there.

import { SERVICE_MAX } from "../../src/wire/bounds.js";
import { WireError } from "../../src/wire/error.js";
import { idFromText } from "../../src/wire/key.js";
import { MESSAGE_BODY_BYTES_MAX } from "../../src/wire/message.js";
import { decodeValue, encodeValue, type Value } from "../../src/wire/value.js";
import { STATE_BYTES_MAX, STATE_KEYS_MAX } from "../ledger/contract-states.js";
import { deadlineComplaint, notBefore } from "../ledger/deadlines.js";
import { compareKeys } from "../ledger/ordered-keys.js";
import type { Emission, Failure } from "../ledger/outcome.js";
import { EMISSIONS_MAX, KEY_BYTES_MAX, PREFIXES_MAX, READS_MAX, VALUE_BYTES_MAX, WRITES_MAX } from "./limits.js";
import { type State, WrittenState } from "./run-state.js";
import { fromGuest, toGuest } from "./value.js";

export interface Refused {
  readonly reason: Failure;
  readonly detail: string;
}

/**
 * A guest's call that was not allowed. The run has failed, whatever the guest makes of it. It has no
 * stack: quickjs-wasi would show the guest the paths of this machine.
 */
export class NotAllowed extends Error {
  override readonly stack = "";
}

const utf8 = new TextEncoder();

export class Journal {
  readonly #state: WrittenState;
  readonly #outputMax: number;
  readonly #time_s: number;
  readonly #emissions: Emission[] = [];
  #reads: readonly string[] = [];
  #writable: readonly string[] = [];
  #readsDone = 0;
  #output = 0;
  #refused: Refused | undefined;

  /** `time_s` is the block's. */
  constructor(state: State, outputMax: number, time_s: number) {
    this.#state = new WrittenState(state);
    this.#outputMax = outputMax;
    this.#time_s = time_s;
  }

  /** Why the run has failed, if anything was refused: the first reason. */
  get refused(): Refused | undefined {
    return this.#refused;
  }

  get writes(): readonly (readonly [string, Uint8Array | null])[] {
    return [...this.#state.writes].sort(([one], [other]) => compareKeys(one, other));
  }

  get emissions(): readonly Emission[] {
    return this.#emissions;
  }

  /** Notes the first reason and throws, which the guest may catch to no avail. */
  refuse(reason: Failure, detail: string): never {
    this.#refused ??= { reason, detail };
    throw new NotAllowed(detail);
  }

  /** Takes the prefixes that the contract declares: `[reads, writes]` as the guest writes it. */
  declare(text: string): void {
    const value = this.#value(text, "shape");
    const [reads, writes] = Array.isArray(value) ? value : [];
    if (!isPrefixes(reads) || !isPrefixes(writes)) {
      this.refuse("shape", `reads and writes must be at most ${PREFIXES_MAX} texts each`);
    }
    this.#reads = [...reads, ...writes];
    this.#writable = writes;
  }

  /** The value of a key as the guest reads it; undefined where there is none. */
  read(key: string): string | undefined {
    this.#mayRead(key);
    this.#countReads(1);
    const bytes = this.#state.get(key);
    return bytes === undefined ? undefined : toGuest(decodeValue(bytes));
  }

  /** The keys under a prefix, ascending, and how many were looked at for them. */
  list(prefix: string): { readonly text: string; readonly looked: number } {
    this.#mayRead(prefix);
    const { keys, looked } = this.#state.keys(prefix);
    const found = [...keys].sort(compareKeys);
    this.#countReads(1 + found.length);
    return { text: toGuest(found), looked };
  }

  /** Sets a key, or removes it where the guest's text is empty. */
  write(key: string, text: string): void {
    if (!this.#writable.some((prefix) => key.startsWith(prefix))) {
      this.refuse("state", `it writes ${JSON.stringify(key)}, which begins with none of its prefixes in writes`);
    }
    const keyBytes = utf8.encode(key).length;
    if (key === "" || keyBytes > KEY_BYTES_MAX) {
      this.refuse("state", `a key must be a text of 1 to ${KEY_BYTES_MAX} bytes`);
    }
    const said = text === "" ? null : this.#encoded(text);
    const complaint = said === null ? undefined : deadlineComplaint(key, said);
    if (complaint !== undefined) this.refuse("value", `${JSON.stringify(key)} is no deadline: ${complaint}`);
    const value = said === null ? null : notBefore(this.#time_s, key, said);
    if (value !== null && value.length > VALUE_BYTES_MAX) {
      this.refuse("state", `the value of ${JSON.stringify(key)} has more than ${VALUE_BYTES_MAX} bytes`);
    }
    this.#countOutput(keyBytes + (value?.length ?? 0) - this.#standing(key, keyBytes));
    this.#mayKeep(key, value);
    this.#state.set(key, value);
  }

  /** Something said: `about` is a violation's subject or a message's service. */
  emit(type: string, name: string, text: string, about: string): void {
    if (!/^[a-z][a-z0-9-]{0,63}$/.test(name)) {
      this.refuse("value", `the name ${JSON.stringify(name)} is not 1 to 64 of a-z, 0-9 and -, a letter first`);
    }
    if (this.#emissions.length === EMISSIONS_MAX) this.refuse("output", `it says more than ${EMISSIONS_MAX} things`);
    const body = this.#encoded(text);
    this.#countOutput(name.length + body.length);
    this.#emissions.push(this.#emission(type, name, body, about));
  }

  #emission(type: string, name: string, body: Uint8Array, about: string): Emission {
    if (type === "effect" || type === "denial") return { type, name, body };
    if (type === "violation") {
      const subject = idFromText(about);
      if (subject === undefined) return this.refuse("value", "the subject of a violation is an ID of 16 hex digits");
      return { type, name, subject, body };
    }
    if (type !== "message") return this.refuse("value", `nothing is called ${type}`);
    if (body.length > MESSAGE_BODY_BYTES_MAX) {
      this.refuse("output", `a message has more than ${MESSAGE_BODY_BYTES_MAX} bytes`);
    }
    const service = Number(about);
    if (!Number.isSafeInteger(service) || service < 1 || service > SERVICE_MAX) {
      this.refuse("value", `a message goes to a service from 1 to ${SERVICE_MAX}`);
    }
    return { type, service, name, body };
  }

  #mayRead(key: string): void {
    if (this.#reads.some((prefix) => key.startsWith(prefix))) return;
    this.refuse("state", `it reads ${JSON.stringify(key)}, which begins with none of its prefixes`);
  }

  /** Whether the state may become as large, and the run write another key. */
  #mayKeep(key: string, value: Uint8Array | null): void {
    const { writes } = this.#state;
    if (writes.size === WRITES_MAX && !writes.has(key)) this.refuse("state", `it writes more than ${WRITES_MAX} keys`);
    const { keys, bytes } = this.#state.sizeWith(key, value);
    if (keys > STATE_KEYS_MAX) this.refuse("state", `its state would have more than ${STATE_KEYS_MAX} keys`);
    if (bytes > STATE_BYTES_MAX) this.refuse("state", `its state would have more than ${STATE_BYTES_MAX} bytes`);
  }

  #countReads(count: number): void {
    this.#readsDone += count;
    if (this.#readsDone > READS_MAX) this.refuse("state", `it reads more than ${READS_MAX} keys`);
  }

  /** Bytes that the run has put out for the key before: what is written over counts no more. */
  #standing(key: string, keyBytes: number): number {
    const { writes } = this.#state;
    return writes.has(key) ? keyBytes + (writes.get(key)?.length ?? 0) : 0;
  }

  #countOutput(bytes: number): void {
    this.#output += bytes;
    if (this.#output > this.#outputMax) this.refuse("output", `it puts out more than ${this.#outputMax} bytes`);
  }

  #encoded(text: string): Uint8Array {
    // A character takes at least a byte of its encoding, six where it is escaped.
    if (text.length > 6 * this.#outputMax) this.refuse("output", `it puts out more than ${this.#outputMax} bytes`);
    const value = this.#value(text, "value");
    try {
      return encodeValue(value);
    } catch (error) {
      if (error instanceof WireError) this.refuse("value", error.message);
      throw error;
    }
  }

  #value(text: string, reason: Failure): Value {
    try {
      return fromGuest(text);
    } catch (error) {
      if (error instanceof WireError) this.refuse(reason, error.message);
      throw error;
    }
  }
}

function isPrefixes(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length <= PREFIXES_MAX && value.every((prefix) => typeof prefix === "string");
}

// What the demo's participants see, and what they are to sign.

import type { Value } from "../../../src/wire/value.js";
import type { Actor } from "./cast.js";

/** What a sealed block shows. */
export interface Seen {
  readonly service: number;
  readonly contract: string;
  readonly name: string;
  readonly body: Value;
  /** of a violation that is sealed while the story is told: its name, service:height:index */
  readonly violation?: string;
}

/** An operation that somebody is to sign. */
export interface Asked {
  readonly who: Actor;
  readonly service: number;
  readonly type: number;
  readonly body: Value;
}

/** An operation with a name that no other one has. */
export type Wanted = readonly [name: string, asked: Asked];

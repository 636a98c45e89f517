// What a block calls its contracts for, before it is known what comes of it.

import type { CalledEntry } from "../../src/wire/entry.js";
import type { Value } from "../../src/wire/value.js";
import type { ContractInForce } from "./contract-orders.js";
import type { ChainView } from "./execution.js";
import type { Room } from "./room.js";
import type { Settlement } from "./settlement/settle.js";

/** Where entries are judged. */
export interface EntriesPlace {
  readonly height: number;
  readonly time_ms: number;
  /** in force there, by their names */
  readonly contracts: readonly ContractInForce[];
  /** a contract's source as its order names it */
  sourceOf(contract: ContractInForce): string;
  readonly view: ChainView;
  /** what the block makes of the chain's settlement */
  readonly settlement: Settlement;
  readonly room?: Room | undefined;
}

/** An entry of a block with what becomes of it before anything has run. */
export interface PlannedEntry {
  readonly entry: CalledEntry;
  readonly fate: { readonly type: "unhandled" | "expired" } | Call;
}

/** A contract's function of the entry's kind is called. */
export interface Call {
  readonly type: "run";
  readonly contract: ContractInForce;
  readonly argument: Value;
  /** whose law sets the parameters; undefined where no jurisdiction's do */
  readonly jurisdiction?: string | undefined;
  /** of what a message is answered with: one more than of the message; 0 where absent */
  readonly hops?: number;
}

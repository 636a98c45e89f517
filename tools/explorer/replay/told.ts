// What the page and the worker that replays a chain tell each other.

import type { Genesis } from "../../../src/wire/genesis.js";
import type { ReplayPlace } from "./replay-block.js";

export interface AskedReplay {
  readonly genesis: Genesis;
  readonly service: number;
  readonly height: number;
  /** address of the engine */
  readonly engine: string;
  /** that the page shows to its node */
  readonly token: string | undefined;
}

/** A run as it is shown. */
export interface ShownRun {
  readonly contract: string;
  /** what it ran for */
  readonly entry: string;
  /** done, denied, or why it failed */
  readonly what: string;
  /** of its budget */
  readonly used: number;
  readonly isSame: boolean;
  /** what is sealed of it, where that is something else */
  readonly sealed: string | undefined;
  readonly calls: readonly { readonly used: number; readonly text: string }[];
}

export type ToldReplay =
  | ({ readonly type: "block" } & ReplayPlace)
  | {
      readonly type: "done";
      readonly chain: string;
      readonly judgedAt: number;
      readonly runs: readonly ShownRun[];
    }
  /** `isWrong`: something does not follow, else it could not be done */
  | { readonly type: "failed"; readonly isWrong: boolean; readonly reason: string };

// What `operation submit` tells of each operation, and what makes it end with a failure.

import type { EntryOutcome } from "../../../src/wire/outcome.js";
import { GridsealError } from "../../errors.js";

export interface Done {
  readonly service: number;
  readonly seq: number;
  readonly hash: string;
  /** of the block that seals it; absent where it is only submitted */
  readonly height?: number;
  /** what has become of it, where the node shows the block */
  readonly result?: EntryOutcome["type"];
  /** the same in words */
  readonly outcome?: string;
  readonly refused?: string;
}

export type Fate = Pick<Done, "height" | "result" | "outcome" | "refused">;

/** Sealed, and nothing of what it asks has happened. One that no contract takes asks nothing of any. */
const results: readonly (string | undefined)[] = ["denied", "failed", "expired"];

export function lineOf({ service, seq, height, outcome, refused }: Done): string {
  const name = nameOf({ service, seq });
  if (refused !== undefined) return `${name} is refused: ${refused}`;
  if (height === undefined) return `${name} is submitted`;
  return `${name} is sealed in block ${height}${outcome === undefined ? "" : `: ${outcome}`}`;
}

/** Why the command fails: RECORD_REFUSED of one that no node takes, else DENIED of one that is sealed without effect. */
export function failureOf(done: readonly Done[]): GridsealError | undefined {
  const refused = done.find((each) => each.refused !== undefined);
  if (refused !== undefined) return new GridsealError("RECORD_REFUSED", lineOf(refused));
  const denied = done.find(({ result }) => results.includes(result));
  return denied === undefined ? undefined : new GridsealError("DENIED", lineOf(denied));
}

/** NOT_SEALED: the node has taken it, and a busy network or one with too few nodes has not sealed it in time. */
export function notSealedYet(waiting: Pick<Done, "service" | "seq">): GridsealError {
  return new GridsealError("NOT_SEALED", `${nameOf(waiting)} was taken and is not sealed yet`);
}

function nameOf({ service, seq }: Pick<Done, "service" | "seq">): string {
  return `operation ${seq} of service ${service}`;
}

// Types of the operations that the credit contract takes (PROTOCOL.md, section 4), roles of section 5 that may ask, and what it keeps of
// a participant.

import type { Grade } from "./rules.js";

export const operationTypes = { kind: 512, paid: 513, object: 514, repair: 515, decide: 516 } as const;
export const roles = { marketOperator: 7, settlementAgent: 8, regulator: 10 } as const;

export interface Subject {
  /** a household has rewards alone; so has whoever nobody has called a firm */
  readonly kind: "household" | "firm";
  /** month of the first fact */
  readonly since: number;
  readonly listed: Listed | null;
  /** who has signed what it was named in first; null where another chain has told of it */
  readonly by: string | null;
}

export interface Standing {
  readonly grade: Grade;
  /** exposure, in 10^-5 of the currency's unit */
  readonly limit: number;
  /** of the usual bond */
  readonly bond_percent: number;
  /** of fees, given back */
  readonly rebate_permille: number;
  readonly list: "none" | "attention" | "black";
}

/** On the list for attention until it is mended, and on the black one where it was not, or a second time within a year. */
export interface Listed {
  readonly list: "attention" | "black";
  readonly since_s: number;
  /** attention: by when the score must be back; black: null */
  readonly until_s: number | null;
  /** mended at; null until then */
  readonly mended_s: number | null;
}

// What the dispatch contract takes and keeps (docs/grid-operator.md): types of operations of PROTOCOL.md, section 4, roles of section 5,
// and a transmission contract as it stands in the state.

import type { Value } from "../../contracts/author.js";
import type { CarriedRow } from "../../market/messages.js";

export const operationTypes = { network: 768, schedule: 769, countersign: 770 } as const;
export const roles = { gridOperator: 5, dispatcher: 6, marketOperator: 7 } as const;
export interface NetworkInForce {
  /** SHA-256 of its canonical JSON, in hex */
  readonly hash: string;
  readonly operator: string;
  readonly parts: number;
  readonly height: number;
}

export interface Transmission {
  readonly slot_s: number;
  readonly length_s: number;
  readonly verdict: string;
  readonly kept_permille: number;
  /** what stands in the way of more; null where nothing does */
  readonly binding: Value;
  /** the closest voltage and the highest loading */
  readonly closest: Value;
  readonly network: string;
  readonly operator: string;
  readonly rows: readonly CarriedRow[];
  /** mWh that the grid loses more in the slot by what is carried, below 0 where it loses less; of each row its share by energy */
  readonly losses_mWh: number;
  readonly losses: readonly number[];
  /** for what is fed in and what is lost, below 0 where it relieves the grid by more; 10^-5 of the currency's unit */
  readonly fee: number;
  readonly penalty_per_kWh: number;
  readonly tolerance_permille: number;
  /** chain that asked; null where an operation did */
  readonly asked_by: number | null;
  /** who has signed that operation */
  readonly signer: string | null;
  /** height at which the operator has signed; null until then */
  readonly countersigned: number | null;
}

// What the API needs of the node that it shows.

import type { Genesis } from "../../../src/wire/genesis.js";
import type { GridsealError } from "../../errors.js";
import type { Head } from "../chain/tables/heads.js";
import type { Receipts } from "../ingest/receipts.js";
import type { Store } from "../store/store.js";
import type { Verdict } from "../watch/health.js";
import type { Metrics } from "../watch/metrics.js";
import type { ApiAdmission } from "./access.js";
import type { Route } from "./route.js";

export interface ApiPorts {
  readonly name: string;
  readonly genesis: Genesis;
  readonly genesisBytes: Uint8Array;
  readonly store: Store;
  readonly receipts: Receipts;
  readonly metrics: Metrics;
  monotonic_ms(): number;
  peersConnected(): number;
  health(): Verdict;
  /** Chains that this node is a member of. */
  chains(): readonly {
    readonly service: number;
    readonly name: string;
    readonly head: Head;
    readonly pending: number;
  }[];
  /** Whether the record waits here to be sealed. */
  isWaiting(service: number, kid: Uint8Array, seq: number): boolean;
  /** those that the node's parts bring */
  readonly routes: readonly Route[];
  readonly admission: ApiAdmission;
  /** What was asked for is damaged in the store. */
  onDamage(error: GridsealError): void;
  /** A request to the route, as `GET /chains/:service` names it, failed by a defect of this node. */
  onDefect(route: string, error: Error): void;
}

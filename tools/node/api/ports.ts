// What the API needs of the node that it shows.

import type { Genesis } from "../../../src/wire/genesis.js";
import type { GridsealError } from "../../errors.js";
import type { BrokerHooks } from "../admission/broker-hooks.js";
import type { Holder } from "../admission/token-judge.js";
import type { Head } from "../chain/tables/heads.js";
import type { Submission } from "../ingest/publications.js";
import type { Receipts } from "../ingest/receipts.js";
import type { OrderAnswer } from "../orders.js";
import type { Store } from "../store/store.js";
import type { Verdict } from "../watch/health.js";
import type { Metrics } from "../watch/metrics.js";
import type { ApiAdmission } from "./access.js";

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
  submitOrder(bytes: Uint8Array): Promise<OrderAnswer>;
  /** Takes a record of who has shown a token, or of anybody where none is asked for. */
  submitRecord(bytes: Uint8Array, shown: Holder | undefined): Promise<Submission>;
  readonly admission: ApiAdmission;
  readonly brokerHooks: BrokerHooks;
  /** What was asked for is damaged in the store. */
  onDamage(error: GridsealError): void;
  /** A request to the route, as `GET /chains/:service` names it, failed by a defect of this node. */
  onDefect(route: string, error: Error): void;
}

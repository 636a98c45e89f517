// What the admission of publishes needs of the node.

import type { Genesis } from "../../../src/wire/genesis.js";
import type { PublicKey, Verify } from "../../../src/wire/key.js";
import type { Standing } from "../../ledger/governance.js";
import type { ReadRecord } from "../../ledger/record-scan.js";
import type { Chain } from "../chain/chain.js";
import type { ChainLog } from "../chain/ports.js";
import type { Sealing } from "../disclosures/day-keys.js";
import type { Store } from "../store/store.js";
import type { Metrics } from "../watch/metrics.js";
import type { RecordRate } from "./allowances.js";
import type { Introductions } from "./handovers.js";
import type { Receipts } from "./receipts.js";

export interface AdmissionsPorts {
  readonly genesis: Genesis;
  /** this node's id */
  readonly self: string;
  readonly store: Store;
  readonly chains: ReadonlyMap<number, Chain>;
  readonly receipts: Receipts;
  readonly introductions: Introductions;
  readonly metrics: Metrics;
  readonly log: ChainLog;
  /** Whether the signature is the key's; with `verifyRecord`, of what anybody may have brought. */
  verifyBirth(...signed: Parameters<Verify>): Promise<boolean>;
  /** Whether the record, without its disclosures, is signed by the key. */
  verifyRecord(key: PublicKey, record: Uint8Array): Promise<boolean>;
  /** Encrypts what the record hides, once a quorum keeps the shares of its key. */
  sealDisclosures(record: ReadRecord): Promise<Sealing>;
  now_ms(): number;
  monotonic_ms(): number;
  /** how fast one meter's records of one service are taken */
  readonly rate: RecordRate;
  /** Whether the network has a chain for the service, on this node or not. */
  sealsService(service: number): boolean;
  /** Whether a sealed order has revoked the meter, by its id as hex. */
  isRevoked(meter: string): boolean;
  /** How the meter stands by the orders sealed so far, as who admits connections has it. */
  holderStanding(meter: string): Standing;
  /** How the meter stands for a number of a service by the orders sealed so far. */
  standingOf(meter: string, service: number, seq: number): Standing;
  /** Sends to the meter of the topic; with `to` to that session alone, where sessions are known. */
  publish(topic: string, payload: Uint8Array, to?: string): void;
  /** Where a session comes from; undefined where sessions are not known. */
  addressOf(client: string): string | undefined;
  /** Whether the session has proved to be the meter's. */
  isProved(client: string, meter: string): boolean;
  /** The session has shown that it speaks for the meter: it brought a record of it that nobody else could have. */
  onProved(client: string, meter: string): void;
}

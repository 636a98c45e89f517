// What a chain needs of the process it runs in: handed in, so that the same code runs over sockets and disks and in a simulation.

import type { Block } from "../../../src/wire/block.js";
import type { Genesis, GenesisChain, Member } from "../../../src/wire/genesis.js";
import type { PublicKey, Signer, Verify } from "../../../src/wire/key.js";
import type { MerkleLevels } from "../../../src/wire/merkle.js";
import type { Order } from "../../../src/wire/order.js";
import type { Timeouts } from "../../consensus/types.js";
import type { RecordVerification } from "../../crypto/verifying-message.js";
import type { GridsealError } from "../../errors.js";
import type { RunResult } from "../../ledger/outcome.js";
import type { ProvedAnchor } from "../../ledger/proposal.js";
import type { ExecutionRecord } from "../../ledger/record-scan.js";
import type { RunPlan } from "../../ledger/run-plan.js";
import type { PeerWork } from "../network/budget.js";
import type { Store } from "../store/store.js";
import type { DropReason } from "./drops.js";
import type { Governor } from "./sealed-orders.js";
import type { Head } from "./tables/heads.js";

export interface ChainLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A durable block with what receipts and subscribers need of it. */
export interface SealedBlock {
  readonly block: Block;
  readonly tree: MerkleLevels;
  /** in the order of their leaves, from leaf 1 on */
  readonly records: readonly Pick<ExecutionRecord, "bytes" | "hash" | "meter" | "seq" | "hides">[];
  readonly head: Head;
  /** that the block holds, on the contracts chain */
  readonly orders: readonly Order[];
  /** where the block changes the members: what proves the new set, encoded */
  readonly handover: Uint8Array | undefined;
  /** since this node first saw its proposal, when its time was the present; undefined where it was fetched later */
  readonly sealing_ms: number | undefined;
}

export interface ChainPorts {
  readonly genesis: Genesis;
  readonly chain: GenesisChain;
  readonly self: Member;
  readonly signer: Signer;
  readonly store: Store;
  readonly governor: Governor;
  readonly timeouts: Timeouts;
  /** how long records wait for company, and how many make a temporary block at once */
  readonly batch: { readonly interval_ms: number; readonly records_max: number };
  readonly log: ChainLog;
  readonly verify: Verify;
  verifyAsync(key: PublicKey, message: Uint8Array, signature: Uint8Array): Promise<boolean>;
  /** Whether all of these records are signed by the keys beside them. */
  verifyRecords(records: readonly RecordVerification[]): Promise<boolean>;
  /** The same, when nothing else is to be verified. */
  verifyRecordsLater(records: readonly RecordVerification[]): Promise<boolean>;
  /** Runs contracts; rejects with ENGINE_FAULT where this machine is at fault, or where they are `unwanted` before they have run. */
  runContracts(plan: RunPlan, unwanted?: AbortSignal): Promise<readonly RunResult[]>;
  /** Contracts could not be run here. */
  onRunFault(): void;
  /** A quorum has sealed what the rules or contracts do not come to here: the chain stands on this node. */
  onDisagreement(error: GridsealError): void;
  /** UTC */
  now_ms(): number;
  monotonic_ms(): number;
  /** Calls back once; a timer set again under its name replaces the earlier one. */
  setTimer(name: string, delay_ms: number, callback: () => void): void;
  clearTimer(name: string): void;
  /** Ids as hex of the nodes that are connected, members of the chain or not. */
  peers(): readonly string[];
  /** To one node, by its id as hex. What cannot be sent is dropped: everything here is said again. */
  send(node: string, frame: Uint8Array): void;
  /** Bytes that were sent to a node and that it has not taken yet. */
  unsent_bytes(node: string): number;
  /** Notes what a frame of a node has made this one do: each has a share. */
  charge(node: string, work: PeerWork, amount: number): void;
  /** What a peer sent is of no use here: nobody is to blame, and it is counted. */
  onDropped(reason: DropReason): void;
  /** Newest sealed headers of the other chains, ascending. */
  anchors(): readonly ProvedAnchor[];
  /** A block is on disk; `waited_ms` is how long the oldest record of each of this node's own temporary blocks in it has waited. */
  onSealed(sealed: SealedBlock, waited_ms: readonly number[]): void;
  /** What must stop the node: a full disk, a damaged store, an invariant that does not hold. */
  onFatal(error: unknown): void;
}

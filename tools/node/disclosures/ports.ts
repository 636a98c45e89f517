// What keeping disclosures needs of the node.

import type { Genesis } from "../../../src/wire/genesis.js";
import type { PublicKey, Signer, Verify } from "../../../src/wire/key.js";
import type { Ciphers } from "../../crypto/ciphers.js";
import type { DeliveryKeys } from "../../crypto/hpke.js";
import type { ChainLog } from "../chain/ports.js";
import type { PeerWork } from "../network/budget.js";
import type { Store } from "../store/store.js";

/** A chain's members by id as hex, and how many are a quorum. */
export interface Standing {
  readonly members: readonly string[];
  readonly quorum: number;
  /** those that may keep shares: all, unless the chain's policy says where nodes stand */
  readonly custodians: readonly string[];
}

/** What a frame of another node has brought. */
export interface Brought {
  /** the node that has sent it, as hex */
  readonly from: string;
  readonly chain: number;
  readonly payload: Uint8Array;
}

export interface DisclosuresPorts {
  readonly genesis: Genesis;
  readonly signer: Signer;
  /** this node's id */
  readonly self: Uint8Array;
  /** what shares are sealed to for this node */
  readonly custody: DeliveryKeys;
  readonly ciphers: Ciphers;
  readonly store: Store;
  readonly log: ChainLog;
  readonly verify: Verify;
  /** The key of a node of the network, by its id as hex. */
  nodeKey(node: string): PublicKey | undefined;
  /** Undefined where the chain does not run here. */
  membersOf(chain: number): Standing | undefined;
  /** Whether the chain's next block is judged by a contract of that name. */
  hasContract(chain: number, name: string): boolean;
  /** ids of the nodes that are connected */
  connected(): readonly string[];
  send(node: string, frame: Uint8Array): void;
  /** Bytes that were sent to a node and that it has not taken yet. */
  unsent_bytes(node: string): number;
  /** Notes what a frame of a node has made this one do: each has a share. */
  charge(node: string, work: PeerWork, amount: number): void;
  now_ms(): number;
  /** Calls back once, so many milliseconds later, unless what it returns is called before. */
  after(delay_ms: number, callback: () => void): () => void;
}

/** First bytes of frames (PROTOCOL.md, links between nodes). */
export const CUSTODY_KEY_FRAME = 13;
export const ENVELOPE_FRAME = 14;
export const KEPT_FRAME = 15;
export const NEED_DISCLOSURES_FRAME = 16;
export const FOUND_DISCLOSURES_FRAME = 17;
export const NEED_SHARES_FRAME = 18;
export const DIVISION_FRAME = 19;
export const GROUP_QUESTION_FRAME = 20;
export const GROUP_SHARE_FRAME = 21;

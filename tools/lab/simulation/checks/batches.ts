// The invariants of temporary blocks as they leave a node (I3, I4, I6): one a number, on disk
// before it is sent or acknowledged. They are passed on with genuine acknowledgements alone.

import { acknowledgementBytes, batchBytes, batchId, decodeBatch } from "../../../../src/wire/batch.js";
import { toHex } from "../../../../src/wire/bytes.js";
import type { Genesis } from "../../../../src/wire/genesis.js";
import { quorum } from "../../../../src/wire/quorum.js";
import { decodeBatchNote, type Frame } from "../../../node/chain/frame.js";
import { batches } from "../../../node/chain/tables/batches.js";
import { heads } from "../../../node/chain/tables/heads.js";
import { origins } from "../../../node/chain/tables/states.js";
import { chainKey, idKey, numberKey } from "../../../node/store/keys.js";
import { simulatedVerify } from "../world/keys.js";
import type { Membership } from "./membership.js";
import type { Suspect } from "./suspect.js";
import type { Fail } from "./violation.js";

export interface BatchChecks {
  onBatch(node: Suspect, frame: Frame): void;
  onAcknowledgement(node: Suspect, frame: Frame): void;
  onAccepted(node: Suspect, frame: Frame): void;
  /** The node has lost its disk, and with it which numbers its temporary blocks had. */
  onWiped(node: string): void;
}

export function createBatchChecks(genesis: Genesis, membership: Membership, fail: Fail): BatchChecks {
  /** by number: what its origin has sent */
  const sent = new Map<string, string>();
  /** what each node has acknowledged last of a number, and its height then */
  const acknowledged = new Map<string, { readonly id: string; readonly height: number }>();
  const wiped = new Set<string>();
  const batchIds = new WeakMap<Uint8Array, string>();

  const checkNumber = (place: string, id: string) => {
    if ((sent.get(place) ?? id) !== id) fail("I3 a node signs one value a place", place);
    sent.set(place, id);
  };

  const idOfBatch = (bytes: Uint8Array): string => {
    const known = batchIds.get(bytes);
    if (known !== undefined) return known;
    const id = toHex(batchId(batchBytes(genesis.hash, decodeBatch(bytes).batch)));
    batchIds.set(bytes, id);
    return id;
  };

  /**
   * A temporary block is on disk before its origin sends it and before anybody acknowledges it;
   * sealed ones are gone.
   */
  const checkBatch = (node: Suspect, chain: number, origin: Uint8Array, number: number, id: string, what: string) => {
    const state = node.durable.get(origins, idKey(chain, origin));
    if (state !== undefined && (number < state.next || state.beyond.includes(number))) return;
    const stored = node.durable.get(batches, numberKey(chain, origin, number));
    if (stored === undefined || idOfBatch(stored) !== id) {
      fail("I4 durable before sent", `${what} ${chain}/${toHex(origin)}/${number} by ${node.id}`);
    }
  };

  const onBatch = (node: Suspect, { chain, payload }: Frame) => {
    const { origin, number } = decodeBatch(payload).batch;
    if (toHex(origin) !== node.id) return;
    const id = idOfBatch(payload);
    if (!wiped.has(node.id)) checkNumber(`${chain}/${node.id}/${number}/batch`, id);
    checkBatch(node, chain, origin, number, id, "temporary block");
  };

  /**
   * One a number, of members of one set. A node may hold what a quorum had accepted before the
   * members changed in place of what it had acknowledged itself. It then acknowledges that to the
   * new ones; at most one of the two is ever sealed.
   */
  const checkSingleAcknowledgement = (node: Suspect, chain: number, name: string, id: string) => {
    const place = `${chain}/${node.id}/acknowledgement of ${name}`;
    const { height } = node.durable.get(heads, chainKey(chain)) ?? { height: 0 };
    const first = acknowledged.get(place);
    const isOfOtherSet = first !== undefined && membership.at(chain, first.height) !== membership.at(chain, height + 1);
    if (first !== undefined && first.id !== id && !isOfOtherSet) fail("I3 a node signs one value a place", place);
    if (first?.id !== id) acknowledged.set(place, { id, height });
  };

  const onAcknowledgement = (node: Suspect, { chain, payload }: Frame) => {
    const { origin, number, id } = decodeBatchNote(payload);
    checkSingleAcknowledgement(node, chain, `${toHex(origin)}/${number}`, toHex(id));
    checkBatch(node, chain, origin, number, toHex(id), "acknowledgement");
  };

  /** A quorum's acknowledgements that a correct node passes on. */
  const onAccepted = (node: Suspect, { chain, payload }: Frame) => {
    const { acknowledgements, ...name } = decodeBatchNote(payload);
    const genuine = acknowledgements.filter(({ node: signer, signature, verified }) => {
      const key = membership.nodeOf(toHex(signer))?.key;
      const message = acknowledgementBytes(genesis.hash, chain, name, verified);
      return key !== undefined && simulatedVerify(key, message, signature);
    });
    // A block that changes the members is durable a little before the node goes on from it.
    const { height } = node.durable.get(heads, chainKey(chain)) ?? { height: 0 };
    const isQuorum = [height, height + 1].some((place) => {
      const signers = new Set(genuine.map(({ node: signer }) => toHex(signer)));
      const areMembers = [...signers].every((signer) => membership.isMember(chain, place, signer));
      return areMembers && signers.size >= quorum(membership.at(chain, place)?.length ?? 0);
    });
    if (genuine.length < acknowledgements.length || !isQuorum) {
      fail(
        "I6 what a node passes on is genuine",
        `acceptance ${chain}/${toHex(name.origin)}/${name.number} by ${node.id}`,
      );
    }
  };

  return { onBatch, onAcknowledgement, onAccepted, onWiped: (node) => void wiped.add(node) };
}

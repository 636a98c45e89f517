// Who the members of the meter's chains are: those of the genesis, and what nodes have proved since, item by item of a chain's lineage.
// The newest set of each service is kept in the key-value store; nothing of it can be forged by whoever delivers it.

import type { KeyValue } from "../host.js";
import { CODE_MAX, HEIGHT_MAX } from "../wire/bounds.js";
import { equalBytes } from "../wire/bytes.js";
import { decodeCbor, encodeCbor } from "../wire/cbor.js";
import { WireError } from "../wire/error.js";
import { type Genesis, type MemberKey, memberSetFromArray, memberSetToArray } from "../wire/genesis.js";
import { decodeHandover } from "../wire/handover.js";
import type { Verify } from "../wire/key.js";
import { genesisSet, isFounding, type MembersFrom, nextSet } from "../wire/lineage.js";
import { asArray, asBytes, asUint } from "../wire/shape.js";

/** What flash stores of one value (ESP-IDF, NVS); a larger set is kept until the next start and shown again after it. */
const STORED_BYTES_MAX = 4_000;

export interface Members {
  /** Those who may have sealed this height, as far as the meter knows; undefined where nothing says. */
  at(service: number, height: number): readonly MemberKey[] | undefined;
  /** Takes an item of the chain's lineage; throws a WireError where it proves nothing. */
  take(service: number, item: Uint8Array): void;
  /** A receipt of a height before the newest set did not verify: the sets between are looked at when they come again. */
  lack(service: number): void;
}

interface Known {
  newest: MembersFrom | undefined;
  /** proved last, and older than the newest: the one before it, or another that was asked for */
  older: MembersFrom | undefined;
  lacking: boolean;
}

/** For the services that the meter has records of; items of others are passed over. */
export function createMembers(
  genesis: Genesis,
  services: readonly number[],
  verify: Verify,
  keyValue: KeyValue,
): Members {
  return new KnownMembers(genesis, services, verify, keyValue);
}

class KnownMembers implements Members {
  private readonly known = new Map<number, Known>();

  constructor(
    private readonly genesis: Genesis,
    private readonly services: readonly number[],
    private readonly verify: Verify,
    private readonly keyValue: KeyValue,
  ) {}

  at(service: number, height: number): readonly MemberKey[] | undefined {
    return this.services.includes(service) ? this.setAt(service, height)?.members : undefined;
  }

  take(service: number, item: Uint8Array): void {
    if (!this.services.includes(service)) return;
    const state = this.knownOf(service);
    const height = isFounding(item) ? 0 : decodeHandover(item).height;
    const { newest } = state;
    const isOld = newest !== undefined && height < newest.from;
    // Signatures are dear here: what leads only to what is known is not checked.
    if (isOld && (!state.lacking || height + 1 === newest.from)) return;
    const set = nextSet(this.genesis, service, this.setAt(service, height), item, this.verify);
    if (isOld) state.older = set;
    else {
      state.older = newest ?? state.older;
      state.newest = set;
      state.lacking = false;
      store(this.keyValue, service, this.genesis, set);
    }
  }

  lack(service: number): void {
    if (this.services.includes(service)) this.knownOf(service).lacking = true;
  }

  private knownOf(service: number): Known {
    let found = this.known.get(service);
    if (found === undefined) {
      found = { newest: restore(this.keyValue, service, this.genesis), older: undefined, lacking: false };
      this.known.set(service, found);
    }
    return found;
  }

  /** The set that counts at a height, of those at hand. */
  private setAt(service: number, height: number): MembersFrom | undefined {
    const { newest, older } = this.knownOf(service);
    for (const set of [newest, older, genesisSet(this.genesis, service)]) {
      if (set !== undefined && set.from <= height) return set;
    }
    return undefined;
  }
}

function store(keyValue: KeyValue, service: number, { hash }: Genesis, { from, members }: MembersFrom): void {
  const bytes = encodeCbor([1, hash, from, memberSetToArray(members)]);
  if (bytes.length < STORED_BYTES_MAX) keyValue.set(keyOf(service), bytes);
  else keyValue.delete(keyOf(service));
}

/** What was kept for this genesis; undefined where there is nothing, or nothing that can be read: nodes show it again. */
function restore(keyValue: KeyValue, service: number, { hash }: Genesis): MembersFrom | undefined {
  const bytes = keyValue.get(keyOf(service));
  if (bytes === undefined) return undefined;
  try {
    const [version, genesisHash, from, members] = asArray(decodeCbor(bytes), "stored members", 4);
    const isOurs =
      asUint(version, "stored version", CODE_MAX) === 1 && equalBytes(asBytes(genesisHash, "genesis hash"), hash);
    return isOurs
      ? { from: asUint(from, "stored height", HEIGHT_MAX + 1), members: memberSetFromArray(members) }
      : undefined;
  } catch (thrown) {
    if (thrown instanceof WireError) return undefined;
    throw thrown;
  }
}

function keyOf(service: number): string {
  return `members${service}`;
}

// Messages between chains as entries, pure: who is called for those that a block takes, and which numbers those get that it sends.

import { toHex } from "../../src/wire/bytes.js";
import { encodeCbor } from "../../src/wire/cbor.js";
import { sha256 } from "../../src/wire/hash.js";
import type { CarriedMessage } from "../../src/wire/message.js";
import type { Addressee } from "../../src/wire/outcome.js";
import { decodeValue, encodeValue, type Value } from "../../src/wire/value.js";
import type { ContractInForce } from "./contract-orders.js";
import type { EntriesPlace, PlannedEntry } from "./entry.js";
import { type ReservedState, sentKey, sentTo, takenKey, takenValue } from "./reserved-keys.js";

/** What the messages that a block has taken write. */
export function takenWrites(taken: readonly CarriedMessage[]): Map<string, Uint8Array> {
  return new Map(
    taken.map(({ message, orderedAt }) => [
      takenKey(message.service),
      takenValue({ next: message.number + 1, orderedAt }),
    ]),
  );
}

/**
 * The messages as entries: each is the contract's that takes its name from its chain. Another chain is first in each block, so that
 * none always finds what others have left.
 */
export function messageEntries({ height, contracts }: EntriesPlace, taken: readonly CarriedMessage[]): PlannedEntry[] {
  return inTurn(taken, height).map((carried) => {
    const { service, number, name } = carried.message;
    const contract = takerOf(contracts, service, name);
    return {
      entry: { kind: "message", service, number },
      fate: contract === undefined ? { type: "unhandled" } : { type: "run", contract, ...callOf(carried) },
    };
  });
}

/** By chain and number, the chains in an order that each height draws anew, whichever of them come. */
function inTurn(taken: readonly CarriedMessage[], height: number): CarriedMessage[] {
  const lots = new Map(taken.map(({ message: { service } }) => [service, lotOf(height, service)]));
  const before = (one: CarriedMessage, other: CarriedMessage) =>
    lots.get(one.message.service)! < lots.get(other.message.service)! ? -1 : 1;
  return taken.toSorted((one, other) =>
    one.message.service === other.message.service ? one.message.number - other.message.number : before(one, other),
  );
}

function lotOf(height: number, service: number): string {
  return toHex(sha256(encodeCbor([height, service])));
}

function takerOf(contracts: readonly ContractInForce[], service: number, name: string): ContractInForce | undefined {
  return contracts.find(({ install }) =>
    install.messages.some((kind) => kind.name === name && (kind.service === 0 || kind.service === service)),
  );
}

function callOf({ message, time_s }: CarriedMessage) {
  const { service, number, contract, name, body, height, hops } = message;
  const argument: Value = { service, number, contract, name, body: decodeValue(body), height, time_s };
  return { argument, hops: hops + 1 };
}

/** Gives a block's messages their numbers, in the order in which they were put out. */
export class Numbering {
  readonly #state: Pick<ReservedState, "get">;
  readonly #next = new Map<number, number>();

  constructor(state: Pick<ReservedState, "get">) {
    this.#state = state;
  }

  /** The next message to the chain, which so many others led to. */
  take(service: number, hops: number): Addressee {
    const number = this.#next.get(service) ?? sentTo(this.#state, service);
    this.#next.set(service, number + 1);
    return { service, number, hops };
  }

  /** What the block's messages write. */
  get writes(): Map<string, Uint8Array> {
    return new Map([...this.#next].map(([service, next]) => [sentKey(service), encodeValue(next)]));
  }
}

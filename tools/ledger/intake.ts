// Which messages of other chains a block takes, pure: of each chain those that come next, each once, and not too many.

import type { CarriedMessage } from "../../src/wire/message.js";
import { type Governance, governedChain } from "./governance.js";
import { type ReservedState, type TakenSoFar, takenFrom } from "./reserved-keys.js";

/** Messages that one block takes, so that their runs have a share of it. */
export const BLOCK_MESSAGES_MAX = 16;
/** Of them, those of one chain: one that floods delays no other. */
export const SOURCE_MESSAGES_MAX = 4;

/** Where a message is taken. */
export interface TakingPlace {
  readonly service: number;
  readonly governance: Governance;
  readonly judgedAt: number;
  readonly state: Pick<ReservedState, "get">;
  /** how many of each chain the block's contracts leave room for; undefined where nothing is in the way */
  readonly room?: ReadonlyMap<number, number> | undefined;
}

/** Takes a block's messages one behind the other. */
export class MessageIntake {
  readonly #place: TakingPlace;
  readonly #soFar = new Map<number, TakenSoFar>();
  readonly #taken: CarriedMessage[] = [];

  constructor(place: TakingPlace) {
    this.#place = place;
  }

  /** By source chain, then by number. */
  get taken(): readonly CarriedMessage[] {
    return [...this.#taken].sort((one, other) => one.message.service - other.message.service);
  }

  /** Whether the block takes the message: it is the next of its chain, and there is room. */
  take(carried: CarriedMessage): boolean {
    const { service, number } = carried.message;
    const before = this.#soFar.get(service) ?? takenFrom(this.#place.state, service);
    const ofSource = this.#taken.filter(({ message }) => message.service === service).length;
    const { room } = this.#place;
    const most = room === undefined ? SOURCE_MESSAGES_MAX : (room.get(service) ?? 0);
    const hasRoom = this.#taken.length < BLOCK_MESSAGES_MAX && ofSource < most;
    if (!hasRoom || !isNext(this.#place, before, carried)) return false;
    this.#soFar.set(service, { next: number + 1, orderedAt: carried.orderedAt });
    this.#taken.push(carried);
    return true;
  }
}

function isNext({ service, governance, judgedAt }: TakingPlace, before: TakenSoFar, carried: CarriedMessage): boolean {
  const { message, orderedAt } = carried;
  const source = governedChain(governance, message.service);
  const isKnown = source !== undefined && source.contractsHeight <= judgedAt && orderedAt <= judgedAt;
  return isKnown && message.to === service && message.number === before.next && orderedAt >= before.orderedAt;
}

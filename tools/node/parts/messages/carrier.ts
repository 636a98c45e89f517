// Carries messages between the chains that run on this node: to its own next temporary blocks where it is a member of the target, to
// members of it where it is none. What waits follows from the states of both chains, so nothing of it is stored.

import { WireError } from "../../../../src/wire/error.js";
import type { Verify } from "../../../../src/wire/key.js";
import { CARRIED_BYTES_MAX } from "../../../../src/wire/message.js";
import { encodeDue } from "../../../../src/wire/notice.js";
import { faults } from "../../../../src/wire/quorum.js";
import { BoundedMap } from "../../../bounded-map.js";
import type { ExecutionNotice } from "../../../ledger/execution.js";
import { SOURCE_MESSAGES_MAX } from "../../../ledger/intake.js";
import { checkMessage, readNotice } from "../../../ledger/notices.js";
import { nextDue, takenFrom } from "../../../ledger/reserved-keys.js";
import type { Chain } from "../../chain/chain.js";
import { frameOf } from "../../chain/frame.js";
import type { Governor } from "../../chain/sealed-orders.js";
import { type Sent, sentFrom, stateOf } from "../../chain/stored-state.js";
import { outgoing, takenBefore } from "../../chain/tables/outgoing.js";
import type { Store } from "../../store/store.js";
import { carriedFrom, type MessageName } from "./carried.js";
import { createLanes, type Lane, TURN_MS, turnOf } from "./lanes.js";

/** First byte of the frame by which a node hands a message to a member of the chain that it is for. */
export const MESSAGE_FRAME = 11;
/** Messages that are kept as they are carried: made here, or handed over. */
const KEPT_MAX = 128;
/** A block that is begun for a deadline alone comes so long after the one before. */
const DUE_PAUSE_MS = 1_000;

export interface CarrierPorts {
  /** this node's id */
  readonly self: string;
  readonly genesisHash: Uint8Array;
  readonly governor: Governor;
  readonly chains: ReadonlyMap<number, Pick<Chain, "head" | "offer" | "standing">>;
  readonly store: Store;
  readonly verify: Verify;
  /** ids of the nodes that are connected */
  connected(): readonly string[];
  /** To one node; false where it cannot be sent. */
  send(node: string, frame: Uint8Array): boolean;
  /** UTC */
  now_ms(): number;
  monotonic_ms(): number;
  /** So many messages of a chain wait for another one that runs here; 0 once all are taken. */
  onWaiting(source: number, target: number, count: number): void;
  onFatal(error: unknown): void;
}

export interface Carrier {
  /** Looks for what waits, and does what it is this node's turn to do. */
  look(): void;
  /** Takes a message for a chain that another node hands over; throws a WireError where it is dropped. */
  onPassedOn(target: number, bytes: Uint8Array): void;
}

/** Ids of the members of each chain that runs here. */
type MembersOf = ReadonlyMap<number, readonly string[]>;

export function createCarrier(ports: CarrierPorts): Carrier {
  const { self, chains, store, governor } = ports;
  const lanes = createLanes(self);
  /** notices by the message's name */
  const kept = new BoundedMap<string, ExecutionNotice>(KEPT_MAX);
  const stateIn = (service: number) => stateOf(store, service);

  const noticeOf = (name: MessageName): ExecutionNotice | undefined => {
    const known = kept.get(nameText(name));
    if (known !== undefined) return known;
    const bytes = carriedFrom(store, governor.current, name);
    if (bytes === undefined) return undefined;
    const notice = readNotice(ports.genesisHash, { kind: "message", bytes });
    kept.set(nameText(name), notice);
    return notice;
  };

  /** The next messages of a lane, as many as a block takes and are here. */
  const nextOf = ({ source, target, next }: Pick<Lane, "source" | "target" | "next">): ExecutionNotice[] => {
    const notices: ExecutionNotice[] = [];
    for (let number = next; number < next + SOURCE_MESSAGES_MAX; number += 1) {
      const notice = noticeOf({ source, target, number });
      if (notice === undefined) break;
      notices.push(notice);
    }
    return notices;
  };

  /** To so many members that one of them at least is correct. */
  const pass = ({ target, targetMembers }: Lane, notices: readonly ExecutionNotice[]) => {
    const connected = ports.connected();
    let sent = 0;
    for (const member of targetMembers.filter((id) => connected.includes(id))) {
      if (sent > faults(targetMembers.length)) return;
      const isSent = notices.every(({ bytes }) => ports.send(member, frameOf(MESSAGE_FRAME, target, bytes)));
      if (isSent) sent += 1;
    }
  };

  const carry = (source: number, { target, sent }: Sent, members: MembersOf): void => {
    const targetMembers = members.get(target);
    if (targetMembers === undefined) return; // a chain that does not run here
    const { next } = takenFrom(stateIn(target), source);
    ports.onWaiting(source, target, sent - next);
    const lane: Lane = { source, target, next, sent, sourceMembers: members.get(source)!, targetMembers };
    const duty = lanes.duty(lane, ports.monotonic_ms());
    if (duty === "offer") chains.get(target)!.offer(`message ${source}`, nextOf(lane));
    if (duty === "pass") pass(lane, nextOf(lane));
    forget(source, target, next);
  };

  /** What the target has taken needs no place any more. */
  const forget = (source: number, target: number, next: number): void => {
    const gone = takenBefore(store, source, target, next);
    if (gone.length === 0) return;
    const written = store.write((writer) => {
      for (const key of gone) writer.delete(outgoing, key);
    });
    written.catch(ports.onFatal);
  };

  /** Of chains that do not run here there is what was handed over. */
  const offerHandedOver = (target: number): void => {
    for (const { chain } of governor.current.chains) {
      if (chains.has(chain.service)) continue;
      const { next } = takenFrom(stateIn(target), chain.service);
      const notices = nextOf({ source: chain.service, target, next });
      if (notices.length > 0) chains.get(target)!.offer(`message ${chain.service}`, notices);
    }
  };

  const offerDue = (service: number, members: readonly string[]): void => {
    const chain = chains.get(service)!;
    const time_s = nextDue(stateIn(service));
    if (time_s === undefined) return;
    // A contract that names what is due at once does not have its chain seal without a pause.
    const since_ms = Math.max(time_s * 1_000, chain.head.time_ms + DUE_PAUSE_MS);
    if (ports.now_ms() < since_ms + turnOf(members, self, chain.head.height) * TURN_MS) return;
    chain.offer("due", [readNotice(ports.genesisHash, { kind: "due", bytes: encodeDue(time_s) })]);
  };

  return {
    look() {
      const members: MembersOf = new Map([...chains].map(([service, { standing }]) => [service, standing.members]));
      for (const [service, own] of members) {
        for (const sent of sentFrom(store, service)) carry(service, sent, members);
        if (!own.includes(self)) continue;
        offerHandedOver(service);
        offerDue(service, own);
      }
    },
    onPassedOn(target, bytes) {
      const chain = chains.get(target);
      if (chain === undefined || !chain.standing.members.includes(self)) {
        throw new WireError("untimely", `this node is no member of chain ${target}`);
      }
      if (bytes.length > CARRIED_BYTES_MAX) throw new WireError("limit", `message of ${bytes.length} bytes`);
      // The link's buffer is its own.
      const notice = readNotice(ports.genesisHash, { kind: "message", bytes: Uint8Array.from(bytes) });
      if (notice.kind !== "message") return;
      const { service: source, to, number } = notice.carried.message;
      if (to !== target) throw new WireError("unproven", `message is for chain ${to}`);
      const { next } = takenFrom(stateIn(target), source);
      if (number < next || number >= next + SOURCE_MESSAGES_MAX) {
        throw new WireError("untimely", `message ${number} of chain ${source} is not near ${next}`);
      }
      const name = nameText({ source, target, number });
      if (kept.get(name) !== undefined) return;
      checkMessage(governor.current, notice.carried, ports.verify);
      kept.set(name, notice);
    },
  };
}

function nameText({ source, target, number }: MessageName): string {
  return `${source}/${target}/${number}`;
}

// aedes less what a node has no use for: routing between clients, retained messages, sessions that outlive their connection.
// With them goes all that a stranger could make it keep; what is left per client ends with its connection.

import { Readable } from "node:stream";
import { Aedes, type AedesOptions, type Client, type PublishPacket } from "aedes";

type Done = (error?: Error) => void;

/** A broker whose clients' publications end in `authorizePublish`; nothing is passed on, whoever subscribes. */
export class RecordBroker extends Aedes {
  constructor(options: AedesOptions) {
    super({ ...options, persistence: forgetful });
  }

  /** aedes calls it for clients, for wills and for its own $SYS topics. */
  override publish(_packet: PublishPacket, ...[client, done]: readonly [Client | null | Done, Done?]): void {
    if (typeof client === "function") client();
    else done?.();
  }
}

async function nothing(): Promise<void> {}

/**
 * The store that aedes asks for, of clean sessions of QoS 0 and 1: there is nothing to keep. (Its own store in memory keeps an
 * entry for every client id that ever sent a PUBACK.)
 */
const forgetful = {
  // aedes wants an async function by name.
  async setup(): Promise<void> {},
  cleanSubscriptions: nothing,
  cleanIncoming: nothing,
  putWill: nothing,
  delWill: nothing,
  outgoingUpdate: nothing,
  outgoingClearMessageId: nothing,
  streamWill: () => Readable.from([]),
  outgoingStream: () => Readable.from([]),
  createRetainedStreamCombi: () => Readable.from([]),
} as const;

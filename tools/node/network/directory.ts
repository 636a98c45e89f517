// The peers that a node knows: those it has addresses of, and guests, which have come by themselves. Who is known, where and after
// what wait it is dialled is decided here, without a socket or a clock.

import type { TLSSocket } from "node:tls";
import { GridsealError } from "../../errors.js";
import type { NodeId } from "./hello.js";
import type { Link } from "./link.js";
import type { PeerAddress, PeerLimits } from "./peer-network.js";

export interface Peer {
  readonly id: NodeId;
  /** where it is dialled; undefined for a node of the network that has come by itself */
  address: PeerAddress | undefined;
  /** the established link, and whether the lower id has dialled it */
  link: Link | undefined;
  isPreferred: boolean;
  /** when that link was established, on the monotonic clock */
  admitted_ms: number | undefined;
  /** where this node dials: the connection it dialled last, the timer of the next, and how many led nowhere in a row */
  dialled: TLSSocket | undefined;
  redial: NodeJS.Timeout | undefined;
  attempts: number;
  /** why it has not been reached since when, on the monotonic clock, as far as that was told; undefined once it was there */
  failing: { readonly since_ms: number; readonly told: Set<string> } | undefined;
}

export interface Directory {
  /** by id */
  readonly peers: Map<NodeId, Peer>;
  /** Other addresses from here on; returns the peers whose address is another one now. Who has none and no link is forgotten. */
  readdress(addresses: readonly PeerAddress[]): Peer[];
  /** The node of this name, known or taken up as a guest; undefined where it is no node's name or there are too many guests. */
  find(name: string | undefined): Peer | undefined;
}

/** Makes an empty directory of the node `self`; `find` takes up so many guests at most. */
export function createDirectory(self: NodeId, guests_max: number): Directory {
  const peers = new Map<NodeId, Peer>();
  return {
    peers,
    readdress(addresses) {
      const wanted = new Map(addresses.map((address) => [address.id, address]));
      wanted.delete(self);
      const moved: Peer[] = [];
      for (const [id, peer] of peers) {
        const address = wanted.get(id);
        if (address?.host !== peer.address?.host || address?.port !== peer.address?.port) moved.push(peer);
        peer.address = address;
        if (address === undefined && peer.link === undefined) peers.delete(id);
      }
      for (const [id, address] of wanted) if (!peers.has(id)) peers.set(id, newPeer(id, address));
      return moved;
    },
    find(name) {
      if (name === undefined) return undefined;
      const known = peers.get(name);
      if (known !== undefined) return known;
      if (!NODE_ID.test(name) || name === self) return undefined;
      const guests = [...peers.values()].filter((peer) => peer.address === undefined);
      if (guests.length >= guests_max) return undefined;
      const guest = newPeer(name, undefined);
      peers.set(name, guest);
      return guest;
    },
  };
}

/**
 * How long to wait before a peer is dialled again, longer each time; notes the attempt. The node with the lower id dials; the
 * other one leaves it time to come. `chance` is from 0 to 1.
 */
export function redialWait_ms(
  peer: Peer,
  isLower: boolean,
  { redial_min_ms, redial_max_ms }: PeerLimits,
  now_ms: number,
  chance: number,
): number {
  // A link that held for a while says that the peer is well; one that ends at once is not dialled any faster.
  if (peer.admitted_ms !== undefined && now_ms - peer.admitted_ms > redial_max_ms) peer.attempts = 0;
  peer.admitted_ms = undefined;
  const rising_ms = Math.min(redial_max_ms, redial_min_ms * 2 ** Math.min(peer.attempts, 16));
  peer.attempts += 1;
  return (isLower ? rising_ms : 2 * redial_max_ms) * (0.5 + chance / 2);
}

const NODE_ID = /^[0-9a-f]{16}$/;

/** Throws CONFIGURATION_INVALID where one is no node's id. */
export function checkIds(ids: readonly NodeId[]): void {
  const wrong = ids.find((id) => !NODE_ID.test(id));
  if (wrong === undefined) return;
  throw new GridsealError("CONFIGURATION_INVALID", `a node's id is 16 lower-case hex digits, not "${wrong}"`);
}

function newPeer(id: NodeId, address: PeerAddress | undefined): Peer {
  const none = { link: undefined, admitted_ms: undefined, dialled: undefined, redial: undefined };
  const well = { isPreferred: false, attempts: 0, failing: undefined };
  return { id, address, ...well, ...none };
}

// The links of this node: who is let in as which node, and which part takes its frames.

import type { Logger } from "pino";
import { toHex } from "../../../src/wire/bytes.js";
import { WireError } from "../../../src/wire/error.js";
import { decodeKey, encodeKey, equalKeys, keyId } from "../../../src/wire/key.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { reasonOf } from "../../errors.js";
import type { Chain } from "../chain/chain.js";
import { byteOf, chainOf, payloadOf } from "../chain/frame.js";
import type { Governor } from "../chain/sealed-orders.js";
import type { NodeConfiguration } from "../configuration.js";
import type { Identity } from "../identity.js";
import type { FrameRow } from "../part.js";
import type { Metrics } from "../watch/metrics.js";
import type { VerifyHello } from "./hello.js";
import type { TlsMaterial } from "./peer-listener.js";
import { defaultPeerLimits, type PeerAddress, type PeerNetwork } from "./peer-network.js";
import { createPeerNetwork } from "./peers.js";

export interface PeerLinksPorts {
  readonly identity: Identity;
  readonly governor: Governor;
  readonly chains: ReadonlyMap<number, Chain>;
  /** by their first byte */
  readonly frames: ReadonlyMap<number, FrameRow>;
  /** Two processes run with the key of the node of this name. */
  onTwoRuns(name: string): void;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** The peer network of a node, not started; throws a GridsealError where an id or the TLS material is unusable. */
export function createPeerLinks(
  configuration: NodeConfiguration,
  tls: TlsMaterial,
  ports: PeerLinksPorts,
): PeerNetwork {
  const { governor, chains, frames, metrics, log } = ports;
  const { genesis, signer, self } = ports.identity;
  const connected = new Set<string>();
  const nameOf = (id: string) => governor.current.nodes.get(id)?.name;
  /** A frame that is dropped counts against its sender; one that is only of no use here, for what reading it has cost. */
  const drop = (id: string, bytes: Uint8Array, cost: "unwanted" | "refused") => {
    if (cost === "refused") metrics.peerFramesRefused.inc();
    network.charge(id, cost, bytes.length);
  };
  const network = createPeerNetwork({
    self: toHex(self.id),
    listen: configuration.peers.listen,
    peers: addressesOf(configuration.peers),
    tls,
    genesisHash: genesis.hash,
    limits: defaultPeerLimits,
    key: encodeKey(signer.key),
    sign: (bytes) => signer.sign(bytes),
    verify: peerVerifier(governor),
    isBanned: (id) => governor.current.banned.has(id),
    async onMessage(id, bytes) {
      const row = frames.get(byteOf(bytes) ?? 0);
      if (row === undefined) return drop(id, bytes, "refused");
      const chain = chainOf(bytes);
      if (row.verifications > 0) network.charge(id, "verification", row.verifications);
      try {
        const dropped = await row.take(id, chain, payloadOf(bytes));
        if (dropped === undefined) return;
        drop(id, bytes, "refused");
        log.debug({ peer: id, chain, kind: row.kind, reason: dropped }, "peer's frame is not taken");
      } catch (error) {
        const cost = costOfDropped(error);
        drop(id, bytes, cost);
        const fields = { peer: id, chain, kind: row.kind, reason: reasonOf(error) };
        log[cost === "refused" ? "warn" : "debug"](fields, "peer's frame was dropped");
      }
    },
    onPeer(id, isConnected) {
      if (isConnected) connected.add(id);
      else connected.delete(id);
      metrics.peers.set(connected.size);
      log.info({ peer: id, connected: isConnected }, "peer");
      if (isConnected) for (const chain of chains.values()) chain.onPeer(id);
    },
    onRefused(reason, detail) {
      metrics.peerConnectionsRefused.inc({ reason });
      // Whoever can reach the port can cause these: the counter tells, the log is not theirs to fill.
      log.debug({ reason, detail }, "peer connection refused");
    },
    onUnreached(id, reason) {
      log.warn(
        { peer: id, node: nameOf(id), reason },
        "a peer is not reached: see whether it runs, and its address here",
      );
    },
    onOverBudget(id, { type, for_ms }) {
      const fields = { peer: id, node: nameOf(id), for_ms };
      if (type === "delay") {
        metrics.peerDelays.inc({ node: id });
        log.warn(fields, "a node makes this one work more than its share: it is read more slowly");
      } else {
        metrics.peersShutOut.inc({ node: id });
        log.warn(
          fields,
          "a node sends what is not valid, again and again: its link ends and it is kept out for a while",
        );
      }
    },
    onTwoRuns(id) {
      metrics.peersDouble.inc({ node: id });
      log.warn({ peer: id, node: nameOf(id) }, "two processes run with this node's key: each ends the other's links");
      ports.onTwoRuns(nameOf(id) ?? id);
    },
    onHandlerFailure: (id, error) => log.error({ peer: id, err: error }, "handling a peer's frame failed"),
  });
  return network;
}

/** What a frame counts as that a chain, or what takes orders, has dropped for this reason. */
export function costOfDropped(error: unknown): "unwanted" | "refused" {
  return error instanceof WireError && error.code === "untimely" ? "unwanted" : "refused";
}

/** The peers that the configuration gives addresses of. */
export function addressesOf({ addresses }: NodeConfiguration["peers"]): PeerAddress[] {
  return Object.entries(addresses).map(([id, address]) => ({ id, ...address }));
}

/** The network's authority has certified the id for the link; the key is the one that genesis or orders have for it, or else its own. */
function peerVerifier(governor: Governor): VerifyHello {
  return (id, encodedKey, bytes, signature) => {
    const key = decodeKey(encodedKey);
    const known = governor.current.nodes.get(id);
    const isOfId = known === undefined ? toHex(keyId(key)) === id : equalKeys(known.key, key);
    return isOfId && nodeVerify(key, bytes, signature);
  };
}

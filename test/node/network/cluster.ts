// Networks of nodes on loopback for the tests of the links: keys, certificates, ephemeral ports, and what was received.

import { generateKeyPairSync, sign, verify } from "node:crypto";
import { createNetworkAuthority, createNodeCertificate, type TlsIdentity } from "../../../tools/authority/tls.js";
import {
  defaultPeerLimits,
  type PeerLimits,
  type PeerNetwork,
  type PeerNetworkOptions,
} from "../../../tools/node/network/peer-network.js";
import { createPeerNetwork } from "../../../tools/node/network/peers.js";

export const genesisHash = new Uint8Array(32).fill(7);
export const quick: PeerLimits = {
  ...defaultPeerLimits,
  ...{ redial_min_ms: 20, redial_max_ms: 100, unreached_after_ms: 200 },
};

export interface TestNode {
  readonly id: string;
  readonly network: PeerNetwork;
  readonly port: number;
  readonly received: { readonly from: string; readonly bytes: Uint8Array }[];
  readonly connected: Set<string>;
  readonly refused: string[];
  readonly unreached: string[];
  readonly double: string[];
  readonly overBudget: { readonly peer: string; readonly type: string; readonly for_ms: number }[];
}

export type Overrides = Partial<Omit<PeerNetworkOptions, "self" | "peers">> & {
  /** whose addresses it knows; all by default */
  readonly knows?: readonly string[];
};

export interface TestNetwork {
  readonly authority: TlsIdentity;
  readonly ids: readonly string[];
  certificate(id: string): Promise<TlsIdentity>;
  /** This node's signature. */
  sign(id: string, bytes: Uint8Array): Uint8Array;
  /** Starts one node; with `ports` it knows where the others listen. */
  start(id: string, ports: Readonly<Record<string, number>>, overrides?: Overrides): Promise<TestNode>;
  /** Starts all nodes, the highest id first, so that the ones that dial know where to. */
  startAll(overrides?: Overrides): Promise<TestNode[]>;
  stop(): Promise<void>;
}

/** A network of `size` nodes whose ids ascend. */
export async function createTestNetwork(size: number): Promise<TestNetwork> {
  const authority = await createNetworkAuthority("test", new Date());
  const ids = Array.from({ length: size }, (_, index) => (index + 1).toString(16).padStart(16, "0"));
  const keys = new Map(ids.map((id) => [id, generateKeyPairSync("ed25519")]));
  const certificates = new Map<string, TlsIdentity>();
  const running: PeerNetwork[] = [];

  async function certificate(id: string): Promise<TlsIdentity> {
    const made = certificates.get(id) ?? (await createNodeCertificate(authority, { id, hosts: [] }, new Date()));
    certificates.set(id, made);
    return made;
  }

  /** Stands for the encoded key: the ids of these tests are no hashes of theirs. */
  const keyOf = (id: string) => Buffer.from(`key of ${id}`);

  function signAs(id: string, bytes: Uint8Array): Uint8Array {
    return sign(null, bytes, keys.get(id)!.privateKey);
  }

  async function start(
    id: string,
    ports: Readonly<Record<string, number>>,
    overrides: Overrides = {},
  ): Promise<TestNode> {
    const received: TestNode["received"] = [];
    const connected = new Set<string>();
    const refused: string[] = [];
    const double: string[] = [];
    const unreached: string[] = [];
    const overBudget: { readonly peer: string; readonly type: string; readonly for_ms: number }[] = [];
    const network = createPeerNetwork({
      self: id,
      listen: { host: "127.0.0.1", port: 0 },
      peers: (overrides.knows ?? ids).map((peer) => ({ id: peer, host: "127.0.0.1", port: ports[peer] ?? 1 })),
      tls: { ca: authority.cert, ...(await certificate(id)) },
      genesisHash,
      limits: quick,
      key: keyOf(id),
      sign: (bytes) => signAs(id, bytes),
      isBanned: () => false,
      verify: (peer, key, bytes, signature) =>
        Buffer.compare(key, keyOf(peer)) === 0 && verify(null, bytes, keys.get(peer)!.publicKey, signature),
      onMessage: (from, bytes) => void received.push({ from, bytes: Uint8Array.from(bytes) }),
      onPeer: (peer, present) => void (present ? connected.add(peer) : connected.delete(peer)),
      onTwoRuns: (peer) => void double.push(peer),
      onRefused: (reason) => void refused.push(reason),
      onUnreached: (peer, reason) => void unreached.push(`${peer}: ${reason}`),
      onOverBudget: (peer, verdict) => void overBudget.push({ peer, ...verdict }),
      onHandlerFailure: (_peer, thrown) => void refused.push(String(thrown)),
      ...overrides,
    });
    running.push(network);
    return { id, network, port: await network.start(), received, connected, refused, double, unreached, overBudget };
  }

  async function startAll(overrides: Overrides = {}): Promise<TestNode[]> {
    const ports: Record<string, number> = {};
    const nodes: TestNode[] = [];
    for (const id of ids.toReversed()) {
      const node = await start(id, ports, overrides);
      ports[id] = node.port;
      nodes.unshift(node);
    }
    await until(() => nodes.every((node) => node.connected.size === size - 1));
    return nodes;
  }

  const stop = async (): Promise<void> => void (await Promise.all(running.map((network) => network.close())));
  return { authority, ids, certificate, sign: signAs, start, startAll, stop };
}

/** Resolves once the condition holds; rejects, naming it, when it does not within 10 s. */
export async function until(condition: () => boolean): Promise<void> {
  const end_ms = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > end_ms) throw new Error(`never came true: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

// The links of a member of a running network whose own process does not run: with its key and certificate, and with no word on
// what it is refused. Whoever holds them decides what goes out.

import { readFile } from "node:fs/promises";
import { toHex } from "../../../src/wire/bytes.js";
import type { Genesis, Member } from "../../../src/wire/genesis.js";
import { encodeKey, equalKeys, type Signer } from "../../../src/wire/key.js";
import { decodeMessage } from "../../consensus/messages.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { readKeyFile } from "../../files/key-file.js";
import { decodeFrame, type Frame } from "../../node/chain/frame.js";
import type { NodeConfiguration } from "../../node/configuration.js";
import type { TlsMaterial } from "../../node/network/peer-listener.js";
import { defaultPeerLimits, type PeerAddress, type PeerNetwork } from "../../node/network/peer-network.js";
import { createPeerNetwork } from "../../node/network/peers.js";

/** What a member is on its network. */
export interface MemberIdentity {
  readonly genesis: Genesis;
  readonly self: Member;
  readonly signer: Signer;
  readonly tls: TlsMaterial;
  readonly listen: { readonly host: string; readonly port: number };
  readonly peers: readonly PeerAddress[];
}

export interface LinkOptions {
  /** What may wait for a node that does not read. */
  readonly queue_bytes_max: number;
  /** Every frame of a chain that is heard. */
  onFrame?(frame: Frame): void;
  /** Every frame of whatever kind, as it came. */
  onMessage?(message: Uint8Array): void;
  onEnd?(): void;
}

export interface MemberLinks {
  readonly network: PeerNetwork;
  /** of the chain, as far as this member has heard of votes */
  heightOf(chain: number): number;
}

/** The identity in a node's folder, of which no process runs. */
export async function readMember(genesis: Genesis, configuration: NodeConfiguration): Promise<MemberIdentity> {
  const { tls, peers } = configuration;
  const signer = await readKeyFile(configuration.key);
  const [ca, cert, key] = await Promise.all([tls.ca, tls.certificate, tls.key].map((path) => readFile(path, "utf8")));
  return {
    genesis,
    self: genesis.nodes.find((node) => equalKeys(node.key, signer.key))!,
    signer,
    tls: { ca: ca!, cert: cert!, key: key! },
    listen: peers.listen,
    peers: Object.entries(peers.addresses).map(([id, address]) => ({ id, ...address })),
  };
}

export async function startMemberLinks(identity: MemberIdentity, options: LinkOptions): Promise<MemberLinks> {
  const { genesis, self, signer, listen, peers, tls } = identity;
  const members = new Map(genesis.nodes.map((node) => [toHex(node.id), node]));
  const heights = new Map<number, number>();
  const network = createPeerNetwork({
    self: toHex(self.id),
    listen,
    peers,
    tls,
    genesisHash: genesis.hash,
    limits: { ...defaultPeerLimits, queue_bytes_max: options.queue_bytes_max },
    key: encodeKey(signer.key),
    sign: (bytes) => signer.sign(bytes),
    isBanned: () => false,
    verify: (id, _key, bytes, signature) => nodeVerify(members.get(id)!.key, bytes, signature),
    onMessage(_id, message) {
      options.onMessage?.(message);
      const frame = decodeFrame(message);
      if (frame === undefined) return;
      options.onFrame?.(frame);
      const said = frame.kind === "consensus" ? decodeMessage(frame.payload) : undefined;
      if (said?.type === "prevote") heights.set(frame.chain, said.height);
    },
    onPeer(_id, connected) {
      if (!connected) options.onEnd?.();
    },
    onRefused() {},
    onUnreached() {},
    onTwoRuns() {},
    onOverBudget() {},
    onHandlerFailure(_id, thrown) {
      throw thrown;
    },
  });
  await network.start();
  return { network, heightOf: (chain) => heights.get(chain) ?? 1 };
}

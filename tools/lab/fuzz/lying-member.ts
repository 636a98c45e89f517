// A member of a running network that lies: it has its own key and certificate, speaks the links' protocol, signs nothing useful, and
// floods whoever is connected with one kind of frame after another.

import { readFile } from "node:fs/promises";
import { toHex } from "../../../src/wire/bytes.js";
import type { Genesis, Member } from "../../../src/wire/genesis.js";
import { encodeKey, equalKeys, type Signer } from "../../../src/wire/key.js";
import { decodeMessage } from "../../consensus/messages.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { readKeyFile } from "../../files/key-file.js";
import { decodeFrame } from "../../node/chain/frame.js";
import type { NodeConfiguration } from "../../node/configuration.js";
import type { TlsMaterial } from "../../node/network/peer-listener.js";
import { defaultPeerLimits, type PeerAddress } from "../../node/network/peer-network.js";
import { createPeerNetwork } from "../../node/network/peers.js";
import type { Random } from "../rig/random.js";
import { type Flood, floodFrame } from "./flood.js";

/** What a member is on its network. */
export interface MemberIdentity {
  readonly genesis: Genesis;
  readonly self: Member;
  readonly signer: Signer;
  readonly tls: TlsMaterial;
  readonly listen: { readonly host: string; readonly port: number };
  readonly peers: readonly PeerAddress[];
}

export interface LyingMember {
  /** ids of the nodes that it has a link to */
  readonly connected: readonly string[];
  /** frames that went out */
  readonly sent: number;
  /** Floods all that are connected, as fast as they take it, until `isOver` says so. */
  flood(kind: Flood, isOver: () => boolean): Promise<void>;
  close(): Promise<void>;
}

const BURST = 64;
const PAUSE_MS = 10;
/** Little waits here: what is sent is of the flood that is under way. */
const QUEUE_BYTES_MAX = 65_536;

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

export async function startLyingMember(identity: MemberIdentity, random: Random): Promise<LyingMember> {
  const { genesis, self, signer } = identity;
  const members = new Map(genesis.nodes.map((node) => [toHex(node.id), node]));
  const heights = new Map<number, number>();
  let sent = 0;
  const network = createPeerNetwork({
    ...identity,
    self: toHex(self.id),
    genesisHash: genesis.hash,
    limits: { ...defaultPeerLimits, queue_bytes_max: QUEUE_BYTES_MAX },
    key: encodeKey(signer.key),
    sign: (bytes) => signer.sign(bytes),
    isBanned: () => false,
    verify: (id, _key, bytes, signature) => nodeVerify(members.get(id)!.key, bytes, signature),
    onMessage(_id, message) {
      const frame = decodeFrame(message);
      if (frame?.kind !== "consensus") return;
      const said = decodeMessage(frame.payload);
      if (said.type === "prevote") heights.set(frame.chain, said.height);
    },
    onPeer() {},
    onRefused() {},
    onTwoRuns() {},
    onOverBudget() {},
    onHandlerFailure(_id, thrown) {
      throw thrown;
    },
  });
  await network.start();
  const source = { genesis, self, signer, random, heightOf: (chain: number) => heights.get(chain) ?? 1 };
  return {
    get connected() {
      return network.connected();
    },
    get sent() {
      return sent;
    },
    async flood(kind, isOver) {
      while (!isOver()) {
        let taken = 0;
        for (const id of network.connected()) {
          for (let count = 0; count < BURST && network.send(id, floodFrame(kind, source)); count += 1) taken += 1;
        }
        sent += taken;
        await new Promise((resolve) => (taken > 0 ? setImmediate(resolve) : setTimeout(resolve, PAUSE_MS)));
      }
    },
    close: () => network.close(),
  };
}

// The links between nodes, from without: connections that are no TLS, TLS without a certificate of the network, and TLS with one
// but a changed HELLO, or frames before any.

import { connect } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { toHex } from "../../../src/wire/bytes.js";
import { encodeKey } from "../../../src/wire/key.js";
import { frameHeader } from "../../node/network/frames.js";
import { channelBinding, encodeHello, helloStatement } from "../../node/network/hello.js";
import { tlsOptions } from "../../node/network/peer-listener.js";
import type { Random } from "../rig/random.js";
import { mutateBytes, mutateCbor } from "./mutate.js";
import type { PeerTarget } from "./peer-surface.js";
import type { Address } from "./socket.js";
import type { Surface } from "./surface.js";

const PATIENCE_MS = 1_000;
/** Connections at once. */
const WINDOW = 8;

export function createStrangerSurface(target: PeerTarget, addresses: readonly Address[]): Surface {
  let sent = 0;
  let ended = 0;

  function changedHello(socket: TLSSocket, random: Random): Uint8Array {
    const channel = socket.exportKeyingMaterial(channelBinding.length, channelBinding.label, Buffer.alloc(0));
    const id = toHex(random.pick(target.genesis.nodes).id);
    const terms = { genesisHash: target.genesis.hash, id, role: "dialer" as const, channel, run: random.bytes(8) };
    const hello = encodeHello(terms, encodeKey(target.signer.key), target.signer.sign(helloStatement(terms)));
    const changed = random.chance(0.5) ? mutateCbor(hello, random) : undefined;
    const kind = random.chance(0.9) ? 0 : random.below(256);
    const body = Buffer.concat([Buffer.of(kind), changed ?? mutateBytes(hello, hello, random)]);
    return Buffer.concat([random.chance(0.9) ? frameHeader(body.length) : random.bytes(4), body]);
  }

  function attempt(random: Random): Promise<void> {
    const address = random.pick(addresses);
    const kind = random.fraction();
    return new Promise((resolve) => {
      const bytes = random.bytes(1 + random.below(400));
      const socket =
        kind < 0.3
          ? connect({ ...address })
          : connectTls({
              ...address,
              ...(kind < 0.4 ? { rejectUnauthorized: false } : tlsOptions(target.tls)),
              servername: "",
            });
      const timer = setTimeout(() => socket.destroy(), PATIENCE_MS);
      socket.once(kind < 0.3 ? "connect" : "secureConnect", () => {
        sent += 1;
        socket.write(kind < 0.4 ? bytes : changedHello(socket as TLSSocket, random));
      });
      socket.on("error", () => {});
      socket.on("end", () => socket.destroy());
      socket.on("data", () => {});
      socket.once("close", () => {
        clearTimeout(timer);
        ended += 1;
        resolve();
      });
    });
  }

  return {
    name: "strangers",
    get sent() {
      return sent;
    },
    get ended() {
      return ended;
    },
    async sendSome(random) {
      await Promise.all(Array.from({ length: WINDOW }, () => attempt(random)));
    },
    async close() {},
  };
}

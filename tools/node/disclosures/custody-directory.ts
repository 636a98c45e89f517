// Which key shares are sealed to for each node: every node states its own to those it has a link to, and remembers what it was told.

import { fromHex, toHex } from "../../../src/wire/bytes.js";
import { signCustodyKey, verifyCustodyKey } from "../../../src/wire/envelope.js";
import { frameOf } from "../chain/frame.js";
import { idKey } from "../store/keys.js";
import { CUSTODY_KEY_FRAME, type DisclosuresPorts } from "./ports.js";
import { custodyKeys } from "./tables/custody-keys.js";

export interface CustodyDirectory {
  /** The X25519 key of a node, by its id as hex. Throws STORE_CORRUPT. */
  keyOf(node: string): Uint8Array | undefined;
  /** Takes a node's statement of its own key; rejects with a WireError where it is none. */
  take(from: string, payload: Uint8Array): Promise<string | undefined>;
  /** States this node's key to whoever has come since the last call. */
  announce(): void;
}

export function createCustodyDirectory(ports: DisclosuresPorts): CustodyDirectory {
  const { genesis, signer, self, custody, store, verify } = ports;
  const own = toHex(self);
  const statement = signCustodyKey(genesis.hash, { node: self, key: custody.key }, signer);
  /** ids of those that were told since they came */
  let told = new Set<string>();
  const signerOf = (node: Uint8Array) => ports.nodeKey(toHex(node));

  return {
    keyOf(node) {
      if (node === own) return custody.key;
      const bytes = store.get(custodyKeys, idKey(0, fromHex(node)!));
      return bytes === undefined ? undefined : verifyCustodyKey(genesis.hash, bytes, signerOf, verify).key;
    },
    async take(from, payload) {
      const { node } = verifyCustodyKey(genesis.hash, payload, signerOf, verify);
      if (toHex(node) !== from) return "custody-foreign";
      await store.write((writer) => writer.put(custodyKeys, idKey(0, node), Uint8Array.from(payload)));
      return undefined;
    },
    announce() {
      const connected = ports.connected();
      told = new Set([...told].filter((node) => connected.includes(node)));
      for (const node of connected) {
        if (told.has(node)) continue;
        ports.send(node, frameOf(CUSTODY_KEY_FRAME, 0, statement));
        told.add(node);
      }
    },
  };
}

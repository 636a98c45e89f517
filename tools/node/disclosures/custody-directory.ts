// Which key shares are sealed to for each node: every node states its own to those it has a link to, and remembers what it was told.
// A key that nothing can be sealed to is refused as it comes, and health says whose it is: nothing that a node states throws later.

import { equalBytes, fromHex, toHex } from "../../../src/wire/bytes.js";
import { signCustodyKey, verifyCustodyKey } from "../../../src/wire/envelope.js";
import { WireError } from "../../../src/wire/error.js";
import { frameOf } from "../chain/frame.js";
import { idKey } from "../store/keys.js";
import { CUSTODY_KEY_FRAME, type DisclosuresPorts } from "./ports.js";
import { custodyKeys } from "./tables/custody-keys.js";

/** A node's key is stated again after so long. */
const AGAIN_MS = 20_000;

export interface CustodyDirectory {
  /**
   * The X25519 key of a node, by its id as hex; undefined where it has stated none that anything can be sealed to. Throws STORE_CORRUPT.
   */
  keyOf(node: string): Uint8Array | undefined;
  /** Those of the members, by their ids as hex, whose key is known, ascending. Throws STORE_CORRUPT. */
  known(members: readonly string[]): readonly { readonly node: Uint8Array; readonly key: Uint8Array }[];
  /**
   * Takes a node's statement of its own key; throws a WireError where it is none, STORE_CORRUPT. The last one holds at once, and is
   * written by `keep`: as many as a member may state, they cost no write each.
   */
  take(from: string, payload: Uint8Array): string | undefined;
  /** Writes what was taken since the last call, a row a node; nothing while such a write is under way. Rejects with STORE_FULL. */
  keep(): Promise<void>;
  /** States this node's key to whoever has come since the last call, and again now and then: who knew no such node yet has dropped it. */
  announce(): void;
  /** Ids of nodes whose last statement was of a key that nothing can be sealed to. */
  unusable(): readonly string[];
}

export function createCustodyDirectory(ports: DisclosuresPorts): CustodyDirectory {
  const { genesis, signer, self, custody, store, verify } = ports;
  const own = toHex(self);
  const statement = signCustodyKey(genesis.hash, { node: self, key: custody.key }, signer);
  /** when those were told that are connected, by id */
  const told = new Map<string, number>();
  /** ids of nodes that a node key is known of, so that there are no more than those */
  const refused = new Set<string>();
  /** what each of them has stated last and this process has verified: at each connection it is said again */
  const taken = new Map<string, Uint8Array>();
  /** of it, what is not on disk yet */
  const unwritten = new Map<string, Uint8Array>();
  let isKeeping = false;
  const signerOf = (node: Uint8Array) => ports.nodeKey(toHex(node));

  const keyOf = (node: string): Uint8Array | undefined => {
    if (node === own) return custody.key;
    const bytes = unwritten.get(node) ?? store.get(custodyKeys, idKey(0, fromHex(node)!));
    if (bytes === undefined) return undefined;
    try {
      return verifyCustodyKey(genesis.hash, bytes, signerOf, verify).key;
    } catch (error) {
      // Of a node that is none any more, or that this store was told of before such keys were refused.
      if (error instanceof WireError) return undefined;
      throw error;
    }
  };

  return {
    keyOf,
    known: (members) =>
      [...members].sort().flatMap((node) => {
        const key = keyOf(node);
        return key === undefined ? [] : [{ node: fromHex(node)!, key }];
      }),
    take(from, payload) {
      const known = taken.get(from);
      if (known !== undefined && equalBytes(known, payload)) return undefined;
      try {
        const { node } = verifyCustodyKey(genesis.hash, payload, signerOf, verify);
        if (toHex(node) !== from) return "custody-foreign";
        const stored = store.get(custodyKeys, idKey(0, node));
        const statement = Uint8Array.from(payload);
        taken.set(from, statement);
        if (stored === undefined || !equalBytes(stored, payload)) unwritten.set(from, statement);
        else unwritten.delete(from);
        refused.delete(from);
        return undefined;
      } catch (error) {
        if (error instanceof WireError && ports.nodeKey(from) !== undefined) refused.add(from);
        throw error;
      }
    },
    async keep() {
      if (isKeeping || unwritten.size === 0) return;
      isKeeping = true;
      const rows = [...unwritten];
      try {
        await store.write((writer) => {
          for (const [node, row] of rows) writer.put(custodyKeys, idKey(0, fromHex(node)!), row);
        });
        for (const [node, row] of rows) if (unwritten.get(node) === row) unwritten.delete(node);
      } finally {
        isKeeping = false;
      }
    },
    announce() {
      const connected = ports.connected();
      const now_ms = ports.now_ms();
      for (const node of told.keys()) if (!connected.includes(node)) told.delete(node);
      for (const node of connected) {
        const told_ms = told.get(node);
        if (told_ms !== undefined && Math.abs(now_ms - told_ms) < AGAIN_MS) continue;
        ports.send(node, frameOf(CUSTODY_KEY_FRAME, 0, statement));
        told.set(node, now_ms);
      }
    },
    unusable: () => [...refused],
  };
}

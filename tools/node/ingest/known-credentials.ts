// Credentials that meters have shown to this node, decoded as long as there is room for them.

import { type Credential, parseCredential } from "../../../src/wire/credential.js";
import { BoundedMap } from "../../bounded-map.js";
import { credentials as credentialTable } from "../chain/tables/credentials.js";
import { idKey } from "../store/keys.js";
import type { Store } from "../store/store.js";

/** Credentials kept decoded; the others are read from the store again. */
const CREDENTIALS_KEPT = 65_536;

export interface KnownCredential {
  readonly credential: Credential;
  readonly bytes: Uint8Array;
}

export interface KnownCredentials {
  /** What the node knows of a meter, by its id and the same as hex; its signature was verified before it was stored. */
  known(kid: Uint8Array, meter: string): KnownCredential | undefined;
  of(kid: Uint8Array, meter: string): Credential | undefined;
  /** Whether it is kept decoded, as that of a meter that has been here lately is. */
  isKept(meter: string): boolean;
  /** Resolves when it is durable. */
  add(kid: Uint8Array, meter: string, shown: KnownCredential): Promise<void>;
}

export function createKnownCredentials(store: Pick<Store, "get" | "write">): KnownCredentials {
  const kept = new BoundedMap<string, KnownCredential>(CREDENTIALS_KEPT);

  const known = (kid: Uint8Array, meter: string): KnownCredential | undefined => {
    const there = kept.get(meter);
    if (there !== undefined) return there;
    const bytes = store.get(credentialTable, idKey(0, kid));
    if (bytes === undefined) return undefined;
    const read = { credential: parseCredential(bytes), bytes };
    kept.set(meter, read);
    return read;
  };

  return {
    known,
    of: (kid, meter) => known(kid, meter)?.credential,
    isKept: (meter) => kept.has(meter),
    async add(kid, meter, shown) {
      await store.write((writer) => writer.put(credentialTable, idKey(0, kid), shown.bytes));
      kept.set(meter, shown);
    },
  };
}

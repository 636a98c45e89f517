// Credentials that meters and participants have shown to this node, or that its chains have sealed, decoded as long as there is room.

import { toHex } from "../../../src/wire/bytes.js";
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
  /** The one that the chain has sealed, which ends then. */
  onChain(service: number, kid: Uint8Array, until_s: number): Credential | undefined;
  /** Whether it is kept decoded, as that of a meter that has been here lately is. */
  isKept(meter: string): boolean;
  /** One that a chain has sealed counts as shown from here on, so that other chains of this node take it. Resolves when it is durable. */
  hold(kid: Uint8Array, meter: string): Promise<void>;
  /** Resolves when it is durable. */
  add(kid: Uint8Array, meter: string, shown: KnownCredential): Promise<void>;
}

/** `services`: of the chains that this node has. */
export function createKnownCredentials(
  store: Pick<Store, "get" | "write">,
  services: () => Iterable<number>,
): KnownCredentials {
  const kept = new BoundedMap<string, KnownCredential & { readonly isShown: boolean }>(CREDENTIALS_KEPT);

  /** by service and meter */
  const onChains = new BoundedMap<string, Credential>(CREDENTIALS_KEPT);

  const sealed = (kid: Uint8Array): Uint8Array | undefined => {
    for (const service of services()) {
      const bytes = store.get(credentialTable, idKey(service, kid));
      if (bytes !== undefined) return bytes;
    }
    return undefined;
  };

  const known = (kid: Uint8Array, meter: string): KnownCredential | undefined => {
    const there = kept.get(meter);
    if (there !== undefined) return there;
    const shown = store.get(credentialTable, idKey(0, kid));
    const bytes = shown ?? sealed(kid);
    if (bytes === undefined) return undefined;
    const read = { credential: parseCredential(bytes), bytes, isShown: shown !== undefined };
    kept.set(meter, read);
    return read;
  };

  const add = async (kid: Uint8Array, meter: string, { credential, bytes }: KnownCredential): Promise<void> => {
    await store.write((writer) => writer.put(credentialTable, idKey(0, kid), bytes));
    kept.set(meter, { credential, bytes, isShown: true });
  };

  return {
    known,
    of: (kid, meter) => known(kid, meter)?.credential,
    onChain(service, kid, until_s) {
      const name = `${service}/${toHex(kid)}`;
      const there = onChains.get(name);
      if (there?.expires_s === until_s) return there;
      const bytes = store.get(credentialTable, idKey(service, kid));
      if (bytes === undefined) return undefined;
      const read = parseCredential(bytes);
      onChains.set(name, read);
      return read;
    },
    isKept: (meter) => kept.has(meter),
    async hold(kid, meter) {
      const there = known(kid, meter);
      if (there !== undefined && kept.get(meter)?.isShown === false) await add(kid, meter, there);
    },
    add,
  };
}

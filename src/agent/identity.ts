// The meter's ID key and credential. The seed is made on the device and never leaves it.

import type { KeyValue } from "../host.js";
import { toHex } from "../wire/bytes.js";
import { parseCredential } from "../wire/credential.js";
import { equalKeys, keyId, type PublicKey, type Signer } from "../wire/key.js";
import { ed25519Signer } from "./ed25519.js";

const SEED_BYTES = 32;

export interface Identity {
  readonly signer: Signer;
  /** first 8 bytes of the hash of the public key */
  readonly kid: Uint8Array;
  /** the kid as topics write it */
  readonly id: string;
}

/** The identity whose seed is under `seed`, made from the hardware's generator where there is none. Throws where the seed is damaged. */
export function openIdentity(keyValue: KeyValue, random: (length: number) => Uint8Array): Identity {
  let seed = keyValue.get("seed");
  if (seed === undefined) {
    seed = random(SEED_BYTES);
    if (seed.length !== SEED_BYTES)
      throw new RangeError(`generator gave ${seed.length} bytes instead of ${SEED_BYTES}`);
    keyValue.set("seed", seed);
  }
  if (seed.length !== SEED_BYTES) throw new RangeError(`seed has ${seed.length} bytes instead of ${SEED_BYTES}`);
  const signer = ed25519Signer(seed);
  const kid = keyId(signer.key);
  return { signer, kid, id: toHex(kid) };
}

/** The credential under `credential`, or why it cannot be used: the nodes accept nothing from a meter without one. */
export function openCredential(keyValue: KeyValue, key: PublicKey): Uint8Array | string {
  const bytes = keyValue.get("credential");
  if (bytes === undefined) return "no credential is stored: provision the meter";
  try {
    return equalKeys(parseCredential(bytes).key, key)
      ? bytes
      : "stored credential is for another key: provision the meter anew";
  } catch (thrown) {
    return `stored credential cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  }
}

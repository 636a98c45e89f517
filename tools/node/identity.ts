// Who a node is: its key, and its place in the genesis where it has one.

import { existsSync } from "node:fs";
import type { Genesis, Member } from "../../src/wire/genesis.js";
import { equalKeys, keyId, type Signer } from "../../src/wire/key.js";
import type { DeliveryKeys } from "../crypto/hpke.js";
import { createDeliveryKeyFile, readDeliveryKeyFile } from "../files/delivery-key-file.js";
import { readGenesisFile } from "../files/genesis-file.js";
import { readKeyFile } from "../files/key-file.js";
import type { NodeConfiguration } from "./configuration.js";

export interface Identity {
  readonly genesis: Genesis;
  readonly genesisBytes: Uint8Array;
  readonly signer: Signer;
  readonly self: Member;
}

/**
 * The keys that shares of day keys are sealed to for this node, beside its own key; made at its first start. Rejects with a GridsealError
 * that names the file.
 */
export function openCustody({ key }: NodeConfiguration): Promise<DeliveryKeys> {
  const path = `${key}.custody`;
  return existsSync(path) ? readDeliveryKeyFile(path) : createDeliveryKeyFile(path);
}

/** Reads the genesis and the key. Rejects with a GridsealError that names the file. */
export async function readIdentity(configuration: NodeConfiguration): Promise<Identity> {
  const { genesis, bytes: genesisBytes } = await readGenesisFile(configuration.genesis);
  const signer = await readKeyFile(configuration.key);
  const known = genesis.nodes.find((node) => equalKeys(node.key, signer.key));
  const self = known ?? { id: keyId(signer.key), key: signer.key, name: configuration.name };
  return { genesis, genesisBytes, signer, self };
}

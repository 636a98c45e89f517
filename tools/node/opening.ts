// What a node reads and opens before anything of it runs: who it is, its TLS material, its data folder and its store.

import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import type { Genesis, Member } from "../../src/wire/genesis.js";
import { equalKeys, keyId, type Signer } from "../../src/wire/key.js";
import { createFile, readWhole } from "../authority/files.js";
import { readGenesisFile } from "../authority/genesis-file.js";
import { readKeyFile } from "../authority/key-file.js";
import { GridsealError, reasonOf } from "../errors.js";
import type { NodeConfiguration } from "./configuration.js";
import type { TlsMaterial } from "./network/listener.js";
import { openStore, type Store } from "./store/store.js";

const PEM_BYTES_MAX = 65_536;

export interface Identity {
  readonly genesis: Genesis;
  readonly genesisBytes: Uint8Array;
  readonly signer: Signer;
  readonly self: Member;
}

/** Reads the genesis and the key. Rejects with a GridsealError that names the file. */
export async function readIdentity(configuration: NodeConfiguration): Promise<Identity> {
  const { genesis, bytes: genesisBytes } = await readGenesisFile(configuration.genesis);
  const signer = await readKeyFile(configuration.key);
  const known = genesis.nodes.find((node) => equalKeys(node.key, signer.key));
  const self = known ?? { id: keyId(signer.key), key: signer.key, name: configuration.name };
  return { genesis, genesisBytes, signer, self };
}

/** Makes the data folder where it is missing; rejects with FILE_UNWRITABLE. */
export async function createDataFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    throw new GridsealError("FILE_UNWRITABLE", `folder ${path} cannot be made: ${reasonOf(cause)}`, { cause });
  }
}

/** The store, and beside the key the mark that it has signed: a store that is made anew afterwards has forgotten what. */
export async function openOwnStore(configuration: NodeConfiguration, { genesis, self }: Identity): Promise<Store> {
  const mark = `${configuration.key}.used`;
  const keyHasSigned = existsSync(mark);
  const store = await openStore(configuration.data, { node: self.id, genesisHash: genesis.hash }, keyHasSigned);
  if (!keyHasSigned) await createFile(mark, "This key has signed for its node: keep the node's data folder.\n");
  return store;
}

/** PEM files of the links between nodes; rejects with a GridsealError that names the file. */
export async function readTls({ tls }: NodeConfiguration): Promise<TlsMaterial> {
  const read = async (path: string) => new TextDecoder().decode(await readWhole(path, PEM_BYTES_MAX));
  const [ca, cert, key] = await Promise.all([read(tls.ca), read(tls.certificate), read(tls.key)]);
  return { ca, cert, key };
}

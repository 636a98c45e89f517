// The folder of a participant: its key, genesis and credential, and in `operations` what it has signed. One process at a time: two
// would sign two operations with one number.

import { open, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  CREDENTIAL_BYTES_MAX,
  type Credential,
  isParticipant,
  verifyCredential,
} from "../../../src/wire/credential.js";
import { WireError } from "../../../src/wire/error.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import { equalKeys, keyId, type Signer } from "../../../src/wire/key.js";
import { freshToken } from "../../crypto/fresh-token.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { readGenesisFile } from "../genesis-file.js";
import type { TokenFor } from "../holder-folder.js";
import { readKeyFile } from "../key-file.js";
import { lockFolder } from "../lock.js";
import { createFile, readWhole } from "../made-once.js";
import { closeFolder, SECRET } from "../private-files.js";
import type { Waiting } from "./outbox.js";
import { type Disk, type OutboxFile, openOutbox } from "./outbox-file.js";

/** Who a participant is: what it signs with, and nothing of what it has signed. */
export interface Identity {
  readonly genesis: Genesis;
  readonly signer: Signer;
  readonly kid: Uint8Array;
  readonly credential: Credential;
  readonly credentialBytes: Uint8Array;
  readonly tokenFor: TokenFor;
}

export interface Participant extends Identity {
  /** What it has signed for a service. Throws OUTBOX_DAMAGED. */
  outbox(service: number): Promise<OutboxFile>;
  /** Keeps a sealed operation, with its disclosures, and its receipt; then it waits no more. */
  keep(service: number, waiting: Waiting, receipt: Uint8Array): Promise<void>;
}

/**
 * The participant of the folder, also while another process signs in it. Rejects with what reading its files throws, and with
 * CREDENTIAL_INVALID where the credential is not for its key.
 */
export async function readParticipant(folder: string): Promise<Identity> {
  const signer = await readKeyFile(join(folder, "key.json"));
  const { genesis } = await readGenesisFile(join(folder, "genesis.cbor"));
  const credentialBytes = await readWhole(join(folder, "credential.cbor"), CREDENTIAL_BYTES_MAX);
  const credential = checked(credentialBytes, genesis, signer);
  const holder = { signer, credential: credentialBytes, genesis: genesis.hash };
  const tokenFor: TokenFor = (url) => freshToken(holder, url, Date.now());
  return { genesis, signer, kid: keyId(signer.key), credential, credentialBytes, tokenFor };
}

/** Lends the participant in the folder to `use`, alone. Throws what `readParticipant` throws, and FOLDER_IN_USE. */
export async function withParticipant<T>(folder: string, use: (participant: Participant) => Promise<T>): Promise<T> {
  const identity = await readParticipant(folder);
  const operations = join(folder, "operations");
  await closeFolder(operations);
  const giveBack = await lockFolder(operations, "participant");
  try {
    const disk = diskOf(operations);
    const outboxes = new Map<number, OutboxFile>();
    const outbox = async (service: number): Promise<OutboxFile> => {
      const known = outboxes.get(service) ?? (await openOutbox(disk, service));
      outboxes.set(service, known);
      return known;
    };
    return await use({
      ...identity,
      outbox,
      async keep(service, { seq, bytes }, receipt) {
        const name = join(operations, `${service}-${seq}`);
        await createOnce(`${name}.receipt.cbor`, receipt);
        await createOnce(`${name}.operation.cbor`, bytes);
        await (await outbox(service)).settle(seq);
      },
    });
  } finally {
    await giveBack();
  }
}

function checked(bytes: Uint8Array, genesis: Genesis, { key }: Signer): Credential {
  try {
    const credential = verifyCredential(bytes, genesis, nodeVerify);
    if (!equalKeys(credential.key, key)) throw new WireError("unproven", "it is for another key");
    if (!isParticipant(credential)) throw new WireError("unproven", "it is a meter's, which signs no operations");
    return credential;
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new GridsealError("CREDENTIAL_INVALID", `no operation can be signed with it: ${cause.message}`, { cause });
  }
}

/** A crash may have come between keeping an operation and settling it. */
async function createOnce(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await createFile(path, bytes, SECRET);
  } catch (error) {
    if (!(error instanceof GridsealError && error.code === "FILE_EXISTS")) throw error;
  }
}

function diskOf(folder: string): Disk {
  const attempt = async <T>(name: string, action: (path: string) => Promise<T>): Promise<T> => {
    const path = join(folder, name);
    try {
      return await action(path);
    } catch (cause) {
      throw new GridsealError("FILE_UNWRITABLE", `${path} cannot be written: ${reasonOf(cause)}`, { cause });
    }
  };
  const sync = (path: string) => open(path, "r").then((file) => file.sync().finally(() => file.close()));
  return {
    async read(name) {
      try {
        return Uint8Array.from(await readFile(join(folder, name)));
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw new GridsealError("FILE_UNREADABLE", `${name} cannot be read: ${reasonOf(cause)}`, { cause });
      }
    },
    write: (name, bytes) => attempt(name, (path) => writeFile(path, bytes, { mode: SECRET })),
    sync: (name) => attempt(name, sync),
    rename: (name, to) => attempt(name, (path) => rename(path, join(folder, to))),
    syncFolder: () => attempt("", sync),
  };
}

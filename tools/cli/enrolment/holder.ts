// What an applicant gets: the folder of a holder, which `--as` of other commands names. The credential is checked before anything is
// written.

import { join } from "node:path";
import { toHex } from "../../../src/wire/bytes.js";
import { verifyCredential } from "../../../src/wire/credential.js";
import { WireError } from "../../../src/wire/error.js";
import { equalKeys, keyId, type PublicKey } from "../../../src/wire/key.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { GridsealError } from "../../errors.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { readKeyFile } from "../../files/key-file.js";
import { createFile, createFolder, readWhole } from "../../files/made-once.js";
import { SECRET } from "../../files/private-files.js";
import { printLines, toJson } from "../../terminal/output.js";

export interface HolderOptions {
  readonly genesis: string;
  readonly key: string;
  readonly out: string;
}

const KEY_BYTES_MAX = 4_096;

/** Whom a folder is of: the register by its name, chains by its key. */
export interface Holder {
  readonly id: string;
  /** the key's id, 16 hex digits */
  readonly participant: string;
}

/** Makes the folder with key, genesis and credential, and returns whose it is. Throws CREDENTIAL_INVALID. */
export async function createHolderFolder(credential: Uint8Array, options: HolderOptions): Promise<Holder> {
  const { genesis, bytes } = await readGenesisFile(options.genesis);
  const { key } = await readKeyFile(options.key);
  const id = checked(credential, genesis, key);
  await createFolder(options.out, async (folder) => {
    await createFile(join(folder, "key.json"), await readWhole(options.key, KEY_BYTES_MAX), SECRET);
    await createFile(join(folder, "genesis.cbor"), bytes);
    await createFile(join(folder, "credential.cbor"), credential);
  });
  return { id, participant: toHex(keyId(key)) };
}

/** What to do next, once the folder is there. */
export function printAccepted(
  { id, participant }: Holder,
  { out, json }: HolderOptions & { readonly json?: true },
): void {
  printLines(
    json
      ? [toJson({ id, participant, folder: out })]
      : [
          `you are ${id}: ${out}`,
          `on chains, and as --participant of commands, you are your key: ${participant}`,
          `next: gridseal session token URL --as ${out}, or --as ${out} with other commands`,
        ],
  );
}

function checked(credential: Uint8Array, issuer: Parameters<typeof verifyCredential>[1], key: PublicKey): string {
  try {
    const { subject, key: certified } = verifyCredential(credential, issuer, nodeVerify);
    if (!equalKeys(certified, key)) throw new WireError("unproven", "it is for another key");
    return subject;
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new GridsealError("CREDENTIAL_INVALID", `the credential is not for this key: ${cause.message}`, { cause });
  }
}

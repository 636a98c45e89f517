// A meter or participant as a person names it: by the id of its key, or by the ID that the register has it under.

import { fromHex } from "../../../../src/wire/bytes.js";
import { idFromText } from "../../../../src/wire/key.js";
import { credentialsOf, currentCredential } from "../../../authority/register/rows.js";
import { GridsealError } from "../../../errors.js";
import { type AuthorityOptions, useRegister } from "../authority-options.js";

/** The key ids of those named, each once, in order. Rejects with NOT_FOUND where the register has no credential for an ID. */
export async function namedMeters(options: AuthorityOptions, texts: readonly string[]): Promise<Uint8Array[]> {
  const ids = await keyIdsOf(options, texts);
  return [...new Set(ids)].sort().map((id) => fromHex(id)!);
}

/** The key id of one. Rejects as `namedMeters`. */
export async function namedMeter(options: AuthorityOptions, text: string): Promise<Uint8Array> {
  const [id] = await namedMeters(options, [text]);
  return id!;
}

/** The register is asked for IDs alone: a key id may be of a credential that was issued elsewhere. */
async function keyIdsOf(options: AuthorityOptions, texts: readonly string[]): Promise<readonly string[]> {
  if (texts.every((text) => idFromText(text) !== undefined)) return texts;
  return useRegister(options, (register) =>
    texts.map((text) => {
      if (idFromText(text) !== undefined) return text;
      // Of one that is revoked or replaced the order itself says why it does not apply.
      const credential = currentCredential(register, text) ?? credentialsOf(register, "subjects", text).at(-1);
      if (credential !== undefined) return credential.meter;
      throw new GridsealError(
        "NOT_FOUND",
        `${text} is neither a key id of 16 lower-case hex digits nor an ID with a credential: \`gridseal authority list\` has both`,
      );
    }),
  );
}

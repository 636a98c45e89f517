// The one-time code by which somebody may ask to become a participant. It is typed from a letter: 24 characters of Crockford's base32,
// of which four name it, 19 are secret (95 bits) and the last is a check. The secret is never sent: a proof shows that one has it.

import { hmac } from "@noble/hashes/hmac.js";
import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";
import { equalBytes } from "./bytes.js";
import { encodeCbor } from "./cbor.js";
import { sha256 } from "./hash.js";
import { keyToMap, type PublicKey } from "./key.js";

export const CODE_NAME_CHARACTERS = 4;
export const CODE_SECRET_CHARACTERS = 19;
const GROUP = 4;
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

export interface EnrolmentCode {
  /** tells it from others, and is no secret */
  readonly name: string;
  readonly secret: string;
}

/** The code of 23 random bytes. */
export function codeFromRandom(random: Uint8Array): EnrolmentCode {
  const characters = Array.from(random, (byte) => alphabet[byte & 31]!).join("");
  return {
    name: characters.slice(0, CODE_NAME_CHARACTERS),
    secret: characters.slice(CODE_NAME_CHARACTERS, CODE_NAME_CHARACTERS + CODE_SECRET_CHARACTERS),
  };
}

/** The code as people type it, in groups of four. */
export function codeToText(code: EnrolmentCode): string {
  const characters = code.name + code.secret + checkOf(code);
  const groups: string[] = [];
  for (let start = 0; start < characters.length; start += GROUP) groups.push(characters.slice(start, start + GROUP));
  return groups.join("-");
}

/** Reads a typed code, O for 0 and I or L for 1 too; undefined where its length or its check is wrong. */
export function codeFromText(text: string): EnrolmentCode | undefined {
  const characters = text.toUpperCase().replaceAll(/[-\s]/g, "").replaceAll("O", "0").replaceAll(/[IL]/g, "1");
  if (characters.length !== CODE_NAME_CHARACTERS + CODE_SECRET_CHARACTERS + 1) return undefined;
  const code = {
    name: characters.slice(0, CODE_NAME_CHARACTERS),
    secret: characters.slice(CODE_NAME_CHARACTERS, -1),
  };
  return isCodeName(code.name) && checkOf(code) === characters.at(-1) ? code : undefined;
}

export function isCodeName(text: string): boolean {
  return text.length === CODE_NAME_CHARACTERS && [...text].every((character) => alphabet.includes(character));
}

/** What the authority keeps of a code: enough to check a proof, and no help in finding the code. */
export function codeKey({ name, secret }: EnrolmentCode): Uint8Array {
  return sha256(encodeCbor(["gs1/enrolment-code", name, secret]));
}

/** Shows that who holds the key has the code: HMAC-SHA-256 (RFC 2104). It is worth nothing for another key or network. */
export function codeProof(codeKeyBytes: Uint8Array, genesisHash: Uint8Array, key: PublicKey): Uint8Array {
  return hmac(nobleSha256, codeKeyBytes, encodeCbor(["gs1/enrolment-proof", genesisHash, keyToMap(key)]));
}

/** Whether the proof is the code's for this key. */
export function isCodeProof(
  proof: Uint8Array,
  codeKeyBytes: Uint8Array,
  { genesisHash, key }: { readonly genesisHash: Uint8Array; readonly key: PublicKey },
): boolean {
  // Compared by their hashes: how long it takes says nothing of the proof that was right.
  return equalBytes(sha256(proof), sha256(codeProof(codeKeyBytes, genesisHash, key)));
}

function checkOf({ name, secret }: EnrolmentCode): string {
  return alphabet[sha256(encodeCbor(["gs1/enrolment-check", name, secret]))[0]! & 31]!;
}

// General-glo-ciphering (IEC 62056-5-3, tag 219): system title, security control, invocation counter, AES-128-GCM ciphertext and a
// tag of 12 bytes. The nonce is system title and counter; what is authenticated beside the text is security byte and authentication key.
//
// A meter that has authenticated once always does: a message of its that does not is refused, for whoever strips the tag may change what it
// is of. A counter that is not above the last one of the same system title refuses the message where a tag vouches for both. Flags:
// `unauthenticated` encryption alone (security byte 0x20), or a tag that was not checked, so that nothing vouches for the sender;
// `replayed` such a message whose counter is not above the last one: anybody can set it, so it proves nothing and refuses nothing.

import { joined } from "./joined.js";

/** AES-128 as the platform has it: the SDK's native one on a device, node:crypto on Node. */
export interface MeterCrypto {
  /**
   * The plaintext, or undefined where the tag is wrong. `key` has 16 bytes, `iv` 12, `tag` 12; an empty tag means that there is
   * none to check. Does not throw for any bytes of these lengths.
   */
  aesGcmDecrypt(
    key: Uint8Array,
    iv: Uint8Array,
    aad: Uint8Array,
    ciphertext: Uint8Array,
    tag: Uint8Array,
  ): Uint8Array | undefined;
  /** The plaintext of whole blocks, as many; nothing tells whether the key was right. `key` and `iv` have 16 bytes. */
  aesCbcDecrypt(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array;
}

/** The keys of a meter's customer port, 16 bytes each, from the grid operator. */
export interface MeterKeys {
  readonly encryption: Uint8Array;
  /** Needed where the meter authenticates (security byte 0x30). */
  readonly authentication?: Uint8Array;
}

export interface CipherOptions {
  readonly crypto?: MeterCrypto;
  readonly keys?: MeterKeys;
  /**
   * The owner has no authentication key, as utilities hand out the encryption key alone, and accepts that nothing vouches for what a
   * meter sends that authenticates: its tag is not checked. A key that is there is used.
   */
  readonly acceptUnauthenticated?: boolean;
}

/** What a ciphered APDU holds. */
export type Deciphered =
  | {
      readonly kind: "plain";
      readonly bytes: Uint8Array;
      /** Of the meter, 8 bytes: the manufacturer's letters and a serial number. */
      readonly title: Uint8Array;
      readonly flags: readonly string[];
    }
  | {
      readonly kind: "refused";
      readonly reason: "malformed" | "locked" | "decryption" | "replayed";
      readonly detail: string;
    };

/** Deciphers one APDU that begins with tag 219; a port's decipherer remembers its last counter. */
export type Decipher = (apdu: Uint8Array) => Deciphered;

/** Where the parts of a ciphered APDU are. */
export interface CipherLayout {
  /** Index of the security byte. */
  readonly security: number;
  /** Index after the tag. */
  readonly end: number;
}

export const generalGloCiphering = 0xdb;
export const titleBytes = 8;
const keyBytes = 16;
const counterBytes = 4;
const tagBytes = 12;
const authenticated = 0x10;
const encrypted = 0x20;
const compressed = 0x80;
/** Suites 0 and 1 both cipher with AES-128-GCM. */
const suiteMask = 0x0e;

/** A decipherer; a key that has not 16 bytes is a RangeError. */
export function createDecipher({ crypto, keys, acceptUnauthenticated }: CipherOptions): Decipher {
  checkKey("encryption", keys?.encryption);
  checkKey("authentication", keys?.authentication);
  const vouched = createCounterMemory();
  let vouchedTitle = new Uint8Array(0);
  const claimed = createCounterMemory();

  return (apdu) => {
    const layout = layoutOf(apdu, 0, apdu.length);
    if (layout === undefined || layout.end > apdu.length)
      return refused("malformed", "its ciphering header is cut off");
    const { security, end } = layout;
    const control = apdu[security]!;
    if ((control & encrypted) === 0 || (control & (compressed | suiteMask)) !== 0) {
      return refused("malformed", `unknown security byte 0x${control.toString(16)}`);
    }
    if (crypto === undefined || keys === undefined)
      return refused("locked", "the frame is encrypted and no key is given");
    const withTag = (control & authenticated) !== 0;
    const vouches = withTag && keys.authentication !== undefined;
    if (withTag && !vouches && acceptUnauthenticated !== true) {
      const detail = "the meter authenticates (security byte 0x30) and no authentication key is given";
      return refused("locked", `${detail}; its owner may accept that (acceptUnauthenticated)`);
    }
    const text = security + 1 + counterBytes;
    const textEnd = withTag ? end - tagBytes : end;
    if (textEnd < text) return refused("malformed", "it is shorter than its tag");
    const title = apdu.subarray(2, 2 + titleBytes);
    if (!withTag && isSame(title, vouchedTitle))
      return refused("decryption", "it has no tag (security byte 0x20), and this meter has authenticated before");
    const nonce = joined([title, apdu.subarray(security + 1, text)]);
    const aad = vouches ? joined([apdu.subarray(security, security + 1), keys.authentication!]) : new Uint8Array(0);
    const tag = apdu.subarray(textEnd, vouches ? end : textEnd);
    const bytes = crypto.aesGcmDecrypt(keys.encryption, nonce, aad, apdu.subarray(text, textEnd), tag);
    if (bytes === undefined) return refused("decryption", "its tag is wrong: another key, or a changed frame");
    const counter = nonce[8]! * 2 ** 24 + nonce[9]! * 65536 + nonce[10]! * 256 + nonce[11]!;
    const replayed = (vouches ? vouched : claimed)(title, counter);
    if (vouches && replayed) return refused("replayed", `its counter ${counter} is not above the last one`);
    if (vouches) vouchedTitle = title.slice();
    const flags = vouches ? [] : replayed ? ["unauthenticated", "replayed"] : ["unauthenticated"];
    return { kind: "plain", bytes, title: title.slice(), flags };
  };
}

/** Tells whether a counter repeats or went back, and remembers it; a meter that was exchanged has another title and begins anew. */
function createCounterMemory(): (title: Uint8Array, counter: number) => boolean {
  let lastTitle = new Uint8Array(0);
  let lastCounter = 0;
  return (title, counter) => {
    if (isSame(title, lastTitle) && counter <= lastCounter) return true;
    lastTitle = title.slice();
    lastCounter = counter;
    return false;
  };
}

function isSame(title: Uint8Array, last: Uint8Array): boolean {
  return last.length === title.length && title.every((byte, index) => byte === last[index]);
}

/** The layout of a ciphered APDU that begins at `start`: tag, title, length, security byte. Undefined where it is none. */
export function layoutOf(bytes: Uint8Array, start: number, available: number): CipherLayout | undefined {
  if (bytes[start] !== generalGloCiphering || bytes[start + 1] !== titleBytes) return undefined;
  const lengthAt = start + 2 + titleBytes;
  const first = bytes[lengthAt]!;
  const extra = first < 0x80 ? 0 : first - 0x80;
  if (extra > 2 || lengthAt + 1 + extra >= available) return undefined;
  let length = extra === 0 ? first : 0;
  for (let index = 1; index <= extra; index++) length = length * 256 + bytes[lengthAt + index]!;
  const security = lengthAt + 1 + extra;
  return length <= counterBytes ? undefined : { security, end: security + length };
}

function checkKey(name: string, key: Uint8Array | undefined): void {
  if (key !== undefined && key.length !== keyBytes) {
    throw new RangeError(`${name} key: expected ${keyBytes} bytes, got ${key.length}`);
  }
}

function refused(reason: "malformed" | "locked" | "decryption" | "replayed", detail: string): Deciphered {
  return { kind: "refused", reason, detail };
}

// A board at a port of the reader's machine, by Web Serial (https://wicg.github.io/serial): the same code over it as `gridseal flash` has.

import { md5 } from "@noble/hashes/legacy.js";
import { fromHex, toHex } from "../../../src/wire/bytes.js";
import { decodeKey, ED25519, type PublicKey } from "../../../src/wire/key.js";
import { type ChipLoader, openChip } from "../../flash/chip-loader.js";
import { type OpenBundle, openBundleFiles } from "../../flash/open-bundle.js";
import { type FlashPlan, planFlash } from "../../flash/plan.js";
import type { WebPort } from "../../flash/web-port.js";
import { browserVerify } from "../verification/signatures.js";

interface Serial {
  /** Has the reader choose a port; rejects where none is chosen. */
  requestPort(): Promise<WebPort>;
}

const BAUD = 460_800;
const KEY_BYTES = 32;

export function hasSerial(): boolean {
  return "serial" in navigator;
}

/** A public key as commands take it: COSE_Key, or the 32 bytes of Ed25519, in hex. Undefined where it is none. */
export function publicKeyFrom(hex: string): PublicKey | undefined {
  const bytes = fromHex(hex.trim());
  if (bytes === undefined) return undefined;
  return bytes.length === KEY_BYTES ? { algorithm: ED25519, x: bytes } : decodeKey(bytes);
}

/** The bundle that the files are. Rejects with FIRMWARE_INVALID, or with `missing` where a file is not there. */
export function bundleOf(
  files: readonly File[],
  signer: PublicKey,
  missing: (file: string) => Error,
): Promise<OpenBundle> {
  const read = async (name: string, most: number) => {
    const file = files.find((each) => each.name === name);
    if (file === undefined || file.size > most) throw missing(name);
    return new Uint8Array(await file.arrayBuffer());
  };
  return openBundleFiles({ name: "bundle", read }, signer, browserVerify);
}

export interface Found {
  readonly chip: ChipLoader;
  readonly plan: FlashPlan;
}

/** Has the reader choose a port, and looks at the chip there. Rejects with CHIP_UNREACHABLE. */
export async function lookAtBoard({ bundle, parts }: OpenBundle, resets: boolean): Promise<Found> {
  const { serial } = navigator as unknown as { readonly serial: Serial };
  const port = await serial.requestPort();
  const chip = await openChip(port, { baud: BAUD, resets, md5: (bytes) => toHex(md5(bytes)) });
  const plan = planFlash(bundle, parts, chip.found);
  if (plan.type === "refused") await chip.abandon();
  return { chip, plan };
}

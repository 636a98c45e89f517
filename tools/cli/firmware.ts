// `gridseal firmware`: what a maker of firmware does: a key, a signed manifest for an image, and a look at one.

import { basename } from "node:path";
import type { Command } from "commander";
import { toHex } from "../../src/wire/bytes.js";
import { WireError } from "../../src/wire/error.js";
import {
  FIRMWARE_BYTES_MAX,
  type Firmware,
  IMAGE_BYTES_MAX,
  issueFirmware,
  verifyFirmware,
} from "../../src/wire/firmware.js";
import { sha256 } from "../../src/wire/hash.js";
import { publicKeyFromHex } from "../authority/issue.js";
import { nodeVerify } from "../crypto/signatures.js";
import { GridsealError } from "../errors.js";
import { createKeyFile, readKeyFile } from "../files/key-file.js";
import { createFile, readWhole } from "../files/made-once.js";
import { whole } from "../terminal/arguments.js";
import { pairs, printLines, toJson } from "../terminal/output.js";

const VERSION_MAX = 0x7fffffff;

interface SignOptions {
  readonly board: string;
  readonly version: number;
  readonly least: number;
  readonly key: string;
  readonly out: string;
  readonly json?: true;
}

interface ShowOptions {
  readonly signer: string;
  readonly image?: string;
  readonly json?: true;
}

export function registerFirmware(program: Command): void {
  const firmware = program.command("firmware").description("signed firmware for meters");
  firmware
    .command("key")
    .description("make a key that signs firmware; meters whose configuration names it take what it signs")
    .argument("<file>", "key file to make")
    .option("--json", "print JSON")
    .action(async (file: string, { json }: { readonly json?: true }) => {
      const { key } = await createKeyFile(file);
      const signer = toHex(key.x);
      printLines(json ? [toJson({ signer })] : pairs([["update.signer", signer]]));
    });
  firmware
    .command("sign")
    .description("make the manifest of an image, to be served beside it")
    .argument("<image>", "image, as the build for the board makes it")
    .requiredOption("--board <name>", "board that it is built for")
    .requiredOption("--version <number>", "its version, as its build says", whole(1, VERSION_MAX))
    .option("--least <number>", "oldest version that takes it", whole(0, VERSION_MAX), 0)
    .requiredOption("--key <file>", "key file of the maker, or of the network's authority")
    .requiredOption("-o, --out <file>", "manifest to make")
    .option("--json", "print JSON")
    .action(sign);
  firmware
    .command("show")
    .description("check a manifest, and with --image that it is that image's")
    .argument("<manifest>", "file that sign made")
    .requiredOption("--signer <hex>", "public key that must have signed it")
    .option("--image <file>", "image to compare")
    .option("--json", "print JSON")
    .action(show);
}

async function sign(path: string, options: SignOptions): Promise<void> {
  const image = await readWhole(path, IMAGE_BYTES_MAX);
  const signer = await readKeyFile(options.key);
  const { board, version, least } = options;
  const firmware = { board, version, least, size: image.length, hash: sha256(image), file: basename(path) };
  const manifest = attempt(() => issueFirmware(firmware, signer));
  await createFile(options.out, manifest);
  print({ ...firmware, signer: toHex(signer.key.x) }, options.json);
}

async function show(path: string, options: ShowOptions): Promise<void> {
  const manifest = await readWhole(path, FIRMWARE_BYTES_MAX);
  const firmware = attempt(() => verifyFirmware(manifest, publicKeyFromHex(options.signer), nodeVerify));
  if (options.image !== undefined) {
    const image = await readWhole(options.image, IMAGE_BYTES_MAX);
    if (toHex(sha256(image)) !== toHex(firmware.hash))
      throw new GridsealError("FIRMWARE_INVALID", `${options.image} is not the image of ${path}`);
  }
  print({ ...firmware, signer: options.signer }, options.json);
}

function attempt<Result>(action: () => Result): Result {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof WireError) throw new GridsealError("FIRMWARE_INVALID", cause.message, { cause });
    throw cause;
  }
}

function print(firmware: Firmware & { readonly signer: string }, json: boolean | undefined): void {
  if (json) return printLines([toJson(firmware)]);
  const { board, version, least, size, hash, file, signer } = firmware;
  printLines(
    pairs([
      ["board", board],
      ["version", version],
      ["least", least],
      ["image", file],
      ["bytes", size],
      ["SHA-256", toHex(hash)],
      ["update.signer", signer],
    ]),
  );
}

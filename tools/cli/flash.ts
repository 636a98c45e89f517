// `gridseal flash`: puts a bundle on the board at a serial port, from this machine alone, and says what comes next.

import { createHash } from "node:crypto";
import type { Command } from "commander";
import type { FirmwareBundle } from "../../src/wire/firmware-bundle.js";
import { publicKeyFromHex } from "../authority/issue.js";
import { GridsealError } from "../errors.js";
import { type ChipLoader, type FlashProgress, openChip } from "../flash/chip-loader.js";
import { type FlashPart, type FoundChip, planFlash } from "../flash/plan.js";
import { openBundle } from "../provisioning/flash/bundle-folder.js";
import { nodePort, onlyPort } from "../provisioning/flash/node-port.js";
import { whole } from "../terminal/arguments.js";
import { pairs, printLines, printNote, printOver, toJson } from "../terminal/output.js";
import { useConsole } from "./board-console.js";

interface FlashOptions {
  readonly signer: string;
  readonly port?: string;
  readonly baud: number;
  readonly reset: boolean;
  readonly dryRun?: true;
  readonly console?: true;
  readonly json?: true;
}

const BAUD = 460_800;

export function registerFlash(program: Command): void {
  program
    .command("flash")
    .description(
      "put a firmware bundle on a new board; nothing is written to a chip, flash or board that it is not for",
    )
    .argument("<bundle>", "folder that `gridseal firmware bundle` made")
    .requiredOption("--signer <hex>", "public key that must have signed it")
    .option("--port <path>", "serial port of the board; needed where there are several")
    .option("--baud <number>", "speed while writing", whole(9_600, 2_000_000), BAUD)
    .option("--no-reset", "the board is in download mode already: somebody has held BOOT")
    .option("--dry-run", "say what chip answers and what would be written where, and write nothing")
    .option("--console", "open the board's console behind that, at the same port")
    .option("--json", "print JSON")
    .action(flash);
}

async function flash(folder: string, options: FlashOptions): Promise<void> {
  const { bundle, parts } = await openBundle(folder, publicKeyFromHex(options.signer));
  const path = options.port ?? (await onlyPort("name the board's with --port"));
  tell(`looking for a chip at ${path} ...`);
  const terms = { baud: options.baud, resets: options.reset, md5: (bytes: Uint8Array) => md5(bytes) };
  const chip = await openChip(await nodePort(path), terms);
  const plan = planFlash(bundle, parts, chip.found);
  if (plan.type === "refused") {
    await chip.abandon();
    throw new GridsealError("CHIP_REFUSED", plan.reason);
  }
  for (const warning of plan.warnings) tell(`note: ${warning}`);
  if (options.dryRun) await chip.abandon();
  else await write(chip, plan.parts);
  print(bundle, chip.found, { path, parts, options });
  if (options.console && !options.dryRun) await useConsole(await nodePort(path));
}

async function write(chip: ChipLoader, parts: readonly FlashPart[]): Promise<void> {
  try {
    await chip.write(parts, createProgress());
  } catch (thrown) {
    await chip.abandon();
    throw thrown;
  }
  await chip.leave();
}

/** By this alone the chip compares its flash; whose the bytes are, the signature says. */
function md5(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}

/** Prints a line a part and, on a terminal, how far it is. */
function createProgress(): (progress: FlashProgress) => void {
  let last = "";
  return ({ file, written, bytes }) => {
    const isDone = written === bytes;
    const text = isDone ? `${file} written` : `${file} ${Math.floor((100 * written) / bytes)} %`;
    if (text === last) return;
    last = text;
    if (process.stderr.isTTY) printOver(text, isDone);
    else if (isDone) tell(text);
  };
}

function tell(text: string): void {
  printNote(text);
}

interface Outcome {
  readonly path: string;
  readonly parts: readonly FlashPart[];
  readonly options: FlashOptions;
}

function print({ board, version }: FirmwareBundle, found: FoundChip, { path, parts, options }: Outcome): void {
  const isWritten = options.dryRun === undefined;
  const written = parts.map(({ file, offset, bytes }) => ({ file, offset, bytes: bytes.length }));
  const { name, mac, flashBytes, isLocked } = found;
  if (options.json) {
    printLines([
      toJson({ port: path, chip: name, mac, flashBytes, isLocked, board, version, isWritten, parts: written }),
    ]);
    return;
  }
  printLines([
    ...pairs([
      ["chip", name],
      ...(mac === undefined ? [] : ([["MAC", mac]] as const)),
      ...(flashBytes === undefined ? [] : ([["flash", `${flashBytes / 1_048_576} MB`]] as const)),
      [isWritten ? "on it now" : "would be", `${board}, version ${version}`],
    ]),
    isWritten
      ? options.console
        ? "next: what stands in docs/firmware.md from step 2 on, at its console"
        : `next: open the console at ${path} with 115200 baud (--console does), press Enter, and go on with docs/field-engineer.md`
      : "nothing was written: leave out --dry-run",
  ]);
}

// `gridseal provision lock`: what is to be burnt into a meter's chip, so that it starts signed firmware alone and nobody reads its flash;
// how far it is, as the chip itself says. The commands are written for who has typed the lot's name: nothing of it can be undone.

import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { equalBytes, toHex } from "../../../src/wire/bytes.js";
import { WireError } from "../../../src/wire/error.js";
import { publicKeyFromHex } from "../../authority/issue.js";
import { GridsealError } from "../../errors.js";
import { createFile, createFolder } from "../../files/made-once.js";
import { openChip } from "../../flash/chip-loader.js";
import { buildFiles } from "../../flash/compose-bundle.js";
import { type LockStep, type LockTerms, planLock } from "../../flash/lock-plan.js";
import type { OpenBundle } from "../../flash/open-bundle.js";
import type { FoundChip } from "../../flash/plan.js";
import { openBundle } from "../../provisioning/flash/bundle-folder.js";
import { nodePort, onlyPort } from "../../provisioning/flash/node-port.js";
import { bootDigestOf } from "../../provisioning/flash/secure-boot.js";
import { whole } from "../../terminal/arguments.js";
import { printLines, printNote, toJson } from "../../terminal/output.js";
import { readSecretText } from "../../terminal/passphrase.js";

interface LockOptions {
  readonly signer: string;
  readonly lot: string;
  readonly port?: string;
  readonly out?: string;
  readonly lotFd?: number;
  readonly check?: true;
  readonly reset: boolean;
  readonly json?: true;
}

const BAUD = 115_200;
const [SCRIPT, DIGEST, FLASH_KEY] = ["lock.sh", "boot-digest.bin", "flash-key.bin"];
const RUNNABLE = 0o700;

export function registerLock(provision: Command): void {
  provision
    .command("lock")
    .description("print and check the plan for flash encryption and secure boot, and read back what the chip says")
    .argument("<bundle>", "folder that `gridseal firmware bundle` made, of images that are signed for secure boot")
    .requiredOption("--signer <hex>", "public key that must have signed the bundle")
    .requiredOption("--lot <name>", "the lot that the meter is of")
    .option("--port <path>", "serial port of the board; needed where there are several")
    .option("-o, --out <dir>", "write the commands into a folder to make; the lot's name is asked for")
    .option("--lot-fd <number>", "read the lot's name from this file descriptor", whole(0, 1_023))
    .option("--check", "fail where a step is open")
    .option("--no-reset", "the board is in download mode already: somebody has held BOOT")
    .option("--json", "print JSON")
    .action(lock);
}

async function lock(folder: string, options: LockOptions): Promise<void> {
  const opened = await openBundle(folder, publicKeyFromHex(options.signer));
  const bootDigest = signedBy(opened, folder);
  const port = options.port ?? (await onlyPort("name the board's with --port"));
  const found = await lookAt(port, options.reset);
  const files = { flashKey: FLASH_KEY!, digest: DIGEST! };
  const terms: LockTerms = { bundle: opened.bundle, folder: resolve(folder), port, bootDigest, files };
  const plan = planLock(terms, found);
  if (plan.type === "refused") throw new GridsealError("CHIP_REFUSED", plan.reason);
  const { steps, isLocked } = plan;
  const open = steps.filter(({ isDone }) => !isDone);
  if (found.isLocked && open.length > 0) {
    const names = open.map(({ name }) => name).join("; ");
    throw new GridsealError("CHIP_REFUSED", `Secure Download Mode is on, and what is open stays so: ${names}`);
  }
  print(found, steps, { ...options, port, isLocked });
  if (options.check && !isLocked)
    throw new GridsealError("CHIP_UNLOCKED", `${open.length} steps are open on the chip at ${port}`);
  if (options.out !== undefined && !isLocked) await writeCommands(options.out, steps, terms, options);
}

/** The one key that has signed bootloader and program. Throws FIRMWARE_INVALID. */
function signedBy({ parts }: OpenBundle, folder: string): Uint8Array {
  const images = parts.filter(({ file }) => file === buildFiles.bootloader || file === buildFiles.program);
  try {
    const [first, ...others] = images.map(({ file, bytes }) => bootDigestOf(file, bytes));
    if (first === undefined || others.some((digest) => !equalBytes(digest, first)))
      throw new WireError("unproven", "bootloader and program are signed by two keys");
    return first;
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new GridsealError("FIRMWARE_INVALID", `${folder}: ${cause.message}`, { cause });
  }
}

async function lookAt(port: string, resets: boolean): Promise<FoundChip> {
  printNote(`looking for a chip at ${port} ...`);
  const md5 = (bytes: Uint8Array) => createHash("md5").update(bytes).digest("hex");
  const chip = await openChip(await nodePort(port), { baud: BAUD, resets, md5 });
  await chip.abandon();
  return chip.found;
}

interface Shown extends LockOptions {
  readonly port: string;
  readonly isLocked: boolean;
}

function print({ name, mac }: FoundChip, steps: readonly LockStep[], shown: Shown): void {
  const { lot, port, isLocked, json, out } = shown;
  if (json) {
    printLines([
      toJson({ port, chip: name, mac, lot, isLocked, steps: steps.map(({ name, isDone }) => ({ name, isDone })) }),
    ]);
    return;
  }
  printLines([
    `${name}${mac === undefined ? "" : `, MAC ${mac}`}, lot ${lot}`,
    ...steps.map((step, index) => `${index + 1}. ${step.isDone ? "done" : "open"}  ${step.name}`),
    isLocked
      ? "locked, as the chip itself says; which key's hash it holds it no longer shows"
      : out === undefined
        ? "nothing was burnt; next: the same with -o DIR writes the commands, which nobody can undo"
        : "nothing was burnt yet",
  ]);
}

/** Behind the lot's name: whoever types it means this lot, and no board that lies beside it. */
async function writeCommands(
  out: string,
  steps: readonly LockStep[],
  { bootDigest }: LockTerms,
  { lot, lotFd }: LockOptions,
): Promise<void> {
  const typed = await readSecretText({
    what: `name of the lot that is locked for ever`,
    option: "--lot-fd",
    descriptor: lotFd,
  });
  if (typed !== lot)
    throw new GridsealError("USAGE", `the lot is ${lot}, and another name was typed: nothing was written`);
  await createFolder(out, async (unfinished) => {
    await createFile(join(unfinished, DIGEST!), bootDigest);
    await createFile(join(unfinished, SCRIPT!), scriptOf(steps, lot), RUNNABLE);
  });
  printLines([
    `${join(out, SCRIPT!)}: the steps that are open, key hash ${toHex(bootDigest).slice(0, 16)}`,
    "next: keep the board on power, run it there, and type the same again: it reads back what the chip says",
  ]);
}

/** It ends at the first command that fails; what is burnt already is left out the next time. */
function scriptOf(steps: readonly LockStep[], lot: string): string {
  const [key, images] = steps;
  const needs = key!.isDone && !images!.isDone ? ["", `test -s ${FLASH_KEY} # of the run before: copy it here`] : [];
  const lines = steps
    .filter(({ isDone }) => !isDone)
    .flatMap(({ name, commands }) => ["", `# ${name}`, ...commands.map((words) => words.map(quoted).join(" "))]);
  return [
    "#!/bin/sh",
    `# Locks one chip of lot ${lot}. Nothing of it can be undone. Needs esptool 5, espefuse and espsecure of ESP-IDF.`,
    "set -eu",
    'cd "$(dirname "$0")"',
    "umask 077",
    ...needs,
    ...lines,
    "",
    `# Nobody needs the key of its flash any more.`,
    `rm -f ${FLASH_KEY} ${FLASH_KEY}.*`,
    "",
  ].join("\n");
}

/** A word of a shell's command. */
function quoted(word: string): string {
  return /^[\w./:=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

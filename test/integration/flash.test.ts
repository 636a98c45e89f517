// `gridseal flash` as a field engineer runs it, on a pseudo-terminal whose other end is an emulated chip.

import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { servePty } from "../../tools/emulators/serve.js";
import { buildFiles } from "../../tools/flash/compose-bundle.js";
import { build } from "../flash/builds.js";
import { type ChipTerms, EmulatedChip } from "../flash/emulated-chip.js";
import { makeBootKey, signedImage } from "../flash/signed-image.js";
import { stillPty, stillPtys } from "../provisioning/still-pty.js";
import { cleanUp, gridseal, gridsealJson, program, start, temporaryFolder } from "./processes.js";

const C3 = 5;
const FLASH_BYTES = 4 * 1_048_576;

async function bench(t: TestContext, terms: Partial<ChipTerms> = {}, files = build(C3)) {
  const defer = cleanUp(t);
  const folder = await temporaryFolder(defer);
  for (const [name, file] of Object.entries(buildFiles))
    writeFileSync(join(folder, file), files[name as keyof typeof files]);
  const key = join(folder, "maker.json");
  const { signer } = (await gridsealJson("firmware", "key", key)) as { signer: string };
  const bundle = join(folder, "bundle");
  const made = await gridseal(
    "firmware",
    "bundle",
    folder,
    "--board",
    "p1-adapter",
    "--version",
    "2",
    "--key",
    key,
    "-o",
    bundle,
  );
  assert.equal(made.status, 0, made.errors);
  assert.match(made.output, /0x20000 +xs_esp32\.bin, \d+ bytes/);
  const chip = new EmulatedChip({ chipId: C3, flashBytes: FLASH_BYTES, ...terms });
  const line = await servePty((onBytes) => ({
    close() {},
    write(bytes) {
      onBytes(chip.receive(bytes));
      // Its firmware, once it runs.
      if (Buffer.from(bytes).includes("help")) onBytes(Buffer.from("help\r\nthis list\r\n"));
    },
  }));
  defer(() => line.close());
  const flashing = ["flash", bundle, "--signer", signer, "--port", line.path];
  const flash = (...options: string[]) => gridseal(...flashing, ...options);
  const locking = ["provision", "lock", bundle, "--signer", signer, "--lot", "L1", "--port", line.path, "--no-reset"];
  return { chip, files, flash, flashing, folder, defer, locking };
}

test("flashes a new board, and a dry run before it writes nothing", async (t) => {
  const { chip, files, flash } = await bench(t);
  const dry = await flash("--dry-run", "--json");
  assert.equal(dry.status, 0, dry.errors);
  assert.equal((JSON.parse(dry.output) as { isWritten: boolean }).isWritten, false);
  assert.ok(chip.flash.every((byte) => byte === 0xff));
  // The stub that the dry run has started goes on running, as on a board that nobody resets.
  const { status, output: out, errors: err } = await flash("--no-reset");
  assert.equal(status, 0, err);
  assert.match(out, /ESP32-C3/);
  assert.match(out, /11:22:33:44:55:66/);
  assert.match(out, /next: /);
  assert.match(err, /xs_esp32\.bin written/);
  assert.doesNotMatch(out + err, /TRACE/);
  assert.ok(chip.flash.subarray(0x20000, 0x20000 + files.program.length).equals(files.program));
});

test("a device that takes nothing ends flashing with what to do", { skip: stillPtys }, async (t) => {
  const { flashing } = await bench(t);
  const pty = await stillPty(t);
  const { status, errors } = await gridseal(...flashing.slice(0, -1), pty.path, "--no-reset");
  assert.equal(status, 1);
  assert.match(errors, /no chip answers in download mode/);
  assert.match(errors, /Hold BOOT/);
});

test("opens the board's console behind flashing", async (t) => {
  const { flashing, folder, defer } = await bench(t);
  writeFileSync(join(folder, "typed"), "help\n");
  const words = ["-c", 'exec < "$1"; shift; exec "$@"', "sh", join(folder, "typed"), process.execPath, program];
  const { status, output, errors } = await start(defer, "sh", [...words, ...flashing, "--console"]).ended;
  assert.equal(status, 0, errors);
  assert.match(output, /next: .* at its console\n(?:.*\n)*this list\n/);
});

test("flashes a board in Secure Download Mode by its ROM", async (t) => {
  const { chip, files, flash } = await bench(t, { isLocked: true });
  const { status, errors: err } = await flash();
  assert.equal(status, 0, err);
  assert.match(err, /note: the chip is locked/);
  assert.ok(chip.flash.subarray(0x20000, 0x20000 + files.program.length).equals(files.program));
});

test("refuses another chip before the first byte, and says what to do where none answers or the port is none", async (t) => {
  const other = await bench(t, { chipId: 9 });
  const refused = await other.flash();
  assert.equal(refused.status, 1);
  assert.match(refused.errors, /the chip is an ESP32-S3, and p1-adapter, version 2 is for the ESP32-C3/);
  assert.ok(other.chip.flash.every((byte) => byte === 0xff));
  const silent = await bench(t, { diesAfter: 0 });
  assert.match((await silent.flash()).errors, /no chip answers in download mode/);
  const none = await other.flash("--port", "/dev/null");
  assert.equal(none.status, 1);
  assert.match(none.errors, /^gridseal: .*\/dev\/null.*\n {2}\S/m);
});

test("locks a chip of the lot that is typed: a plan, its commands, and what the chip says of them", async (t) => {
  const key = makeBootKey();
  const plain = build(C3);
  const files = { ...plain, bootloader: signedImage(plain.bootloader, key), program: signedImage(plain.program, key) };
  const { chip, folder, defer, locking } = await bench(t, {}, files);
  const lock = (...options: string[]) => gridseal(...locking, ...options);
  const plan = await lock();
  assert.equal(plan.status, 0, plan.errors);
  assert.match(plan.output, /^ESP32-C3, MAC 11:22:33:44:55:66, lot L1\n1\. open {2}a key for its flash/);
  assert.match(plan.output, /8\. open {2}Secure Download Mode, last.*\nnothing was burnt; next: the same with -o DIR/);
  const unnamed = await lock("-o", join(folder, "lock"));
  assert.deepEqual([unnamed.status, /name --lot-fd here/.test(unnamed.errors)], [2, true]);

  const typed = (name: string) => {
    writeFileSync(join(folder, "name"), `${name}\n`);
    const given = ["-c", 'exec 3< "$1"; shift; exec "$@"', "sh", join(folder, "name"), process.execPath, program];
    return start(defer, "sh", [...given, ...locking, "-o", join(folder, "lock"), "--lot-fd", "3"]).ended;
  };
  assert.match((await typed("L2")).errors, /the lot is L1, and another name was typed: nothing was written/);
  const written = await typed("L1");
  assert.equal(written.status, 0, written.errors);
  assert.match(written.output, /next: keep the board on power, run it there, and type the same again/);
  const script = join(folder, "lock/lock.sh");
  const modes = [join(folder, "lock"), script].map((path) => statSync(path).mode & 0o777);
  assert.deepEqual(modes, [0o700, 0o700], "the key of a flash is made there");
  const { status, lines } = await runFaked(script, folder, "none");
  assert.equal(status, 0);
  assert.deepEqual(
    lines.map((line) => line.split(" ")[0]),
    ["espsecure", "espefuse", ...Array(4).fill("espsecure"), "esptool", ...Array(8).fill("espefuse")],
  );
  assert.match(lines.at(-1)!, /burn-efuse ENABLE_SECURITY_DOWNLOAD 1$/);
  const cut = await runFaked(script, folder, "SECURE_BOOT_EN");
  assert.deepEqual([cut.status, /SECURE_BOOT_EN 1$/.test(cut.lines.at(-1)!)], [1, true]);

  const digest = readFileSync(join(folder, "lock/boot-digest.bin"));
  const words = new Map([...Array(8).keys()].map((word) => [0x9c + 32 + 4 * word, digest.readUInt32LE(4 * word)]));
  chip.terms = { ...chip.terms, encryption: 7, burnt: { keyPurposes: [4, 9], words } };
  const open = await lock("--check");
  assert.deepEqual(
    [open.status, /^gridseal: 4 steps are open/.test(open.errors.split("\n").at(-3) ?? "")],
    [1, true],
    open.errors,
  );
  const burnt = { keyPurposes: [4, 9], flags: (1 << 4) | (1 << 5) | (1 << 7) | (1 << 10) };
  chip.terms = { ...chip.terms, isLocked: true, isSecureBoot: true, burnt };
  const locked = await lock("--check");
  assert.equal(locked.status, 0, locked.errors);
  assert.match(locked.output, /8\. done .*\nlocked, as the chip itself says/);
  chip.terms = { ...chip.terms, burnt: { ...burnt, flags: 0 } };
  assert.match(
    (await lock()).errors,
    /Secure Download Mode is on, and what is open stays so: no encryption, cache or JTAG/,
  );
});

test("locks no chip for images that are not signed for secure boot", async (t) => {
  const { locking } = await bench(t);
  const refused = await gridseal(...locking);
  assert.deepEqual([refused.status, /bootloader\.bin is not signed for secure boot/.test(refused.errors)], [1, true]);
});

/** Runs the commands with tools that only say how they were called; the one whose call has `failing` in it fails. */
async function runFaked(script: string, folder: string, failing: string) {
  const [tools, log] = [join(folder, "tools"), join(folder, `calls-${failing}`)];
  mkdirSync(tools, { recursive: true });
  for (const tool of ["espsecure", "espefuse", "esptool"]) {
    const fake = `#!/bin/sh\necho "${tool} $*" >> "$LOG"\ncase "$*" in *"$FAILING"*) exit 1;; esac\n`;
    writeFileSync(join(tools, tool), fake);
    chmodSync(join(tools, tool), 0o700);
  }
  const set = [`PATH=${tools}:${process.env.PATH}`, `LOG=${log}`, `FAILING=${failing}`];
  const { status } = await start(() => {}, "env", [...set, script]).ended;
  return { status, lines: readFileSync(log, "utf8").trim().split("\n") };
}

// `gridseal flash` as a field engineer runs it, on a pseudo-terminal whose other end is an emulated chip.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { servePty } from "../../tools/emulators/serve.js";
import { buildFiles } from "../../tools/provisioning/flash/compose-bundle.js";
import { build } from "../provisioning/flash/builds.js";
import { type ChipTerms, EmulatedChip } from "../provisioning/flash/emulated-chip.js";
import { cleanUp, gridseal, gridsealJson, temporaryFolder } from "./processes.js";

const C3 = 5;
const FLASH_BYTES = 4 * 1_048_576;

async function bench(t: TestContext, terms: Partial<ChipTerms> = {}) {
  const defer = cleanUp(t);
  const folder = await temporaryFolder(defer);
  const files = build(C3);
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
  assert.match(made.output, /0x20000 +xs_esp32\.bin, 30000 bytes/);
  const chip = new EmulatedChip({ chipId: C3, flashBytes: FLASH_BYTES, ...terms });
  const line = await servePty((onBytes) => ({ close() {}, write: (bytes) => onBytes(chip.receive(bytes)) }));
  defer(() => line.close());
  const flash = (...options: string[]) =>
    gridseal("flash", bundle, "--signer", signer, "--port", line.path, ...options);
  return { chip, files, flash };
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

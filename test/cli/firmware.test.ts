// `gridseal firmware` as a maker runs it: a key, an image, its manifest, and what is wrong with others.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fromHex } from "../../src/wire/bytes.js";
import { verifyFirmware } from "../../src/wire/firmware.js";
import { sha256 } from "../../src/wire/hash.js";
import { ED25519 } from "../../src/wire/key.js";
import { nodeVerify } from "../../tools/crypto/signatures.js";
import { command } from "./command.js";

const image = new Uint8Array(5000).map((_, index) => index % 251);
let folder: string;

function run(...parameters: string[]): { status: number | null; stdout: string; stderr: string } {
  const options = { cwd: folder, encoding: "utf8", env: { ...process.env, GRIDSEAL_DEBUG: "" } } as const;
  return spawnSync(process.execPath, [command, "firmware", ...parameters], options);
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "gridseal-"));
  await writeFile(join(folder, "devkit-2.bin"), image);
  await writeFile(join(folder, "other.bin"), image.subarray(1));
});
after(() => rm(folder, { recursive: true }));

test("signs an image with a key of its own, and every meter that names the key takes it", async () => {
  const made = run("key", "maker.json");
  const signer = /^update\.signer {2}([0-9a-f]{64})$/m.exec(made.stdout)![1]!;
  assert.doesNotMatch(made.stdout, new RegExp(JSON.parse(await readFile(join(folder, "maker.json"), "utf8")).seed));
  const signed = run(
    "sign",
    "devkit-2.bin",
    "--board",
    "devkit",
    "--version",
    "2",
    "--key",
    "maker.json",
    "-o",
    "newest.cose",
    "--json",
  );
  assert.equal(signed.status, 0, signed.stderr);
  assert.equal(JSON.parse(signed.stdout).signer, signer);
  const manifest = Uint8Array.from(await readFile(join(folder, "newest.cose")));
  assert.deepEqual(verifyFirmware(manifest, { algorithm: ED25519, x: fromHex(signer)! }, nodeVerify), {
    board: "devkit",
    version: 2,
    least: 0,
    size: image.length,
    hash: sha256(image),
    file: "devkit-2.bin",
  });
  assert.equal(run("show", "newest.cose", "--signer", signer, "--image", "devkit-2.bin").status, 0);
  const other = run("show", "newest.cose", "--signer", signer, "--image", "other.bin");
  assert.deepEqual([other.status, /is not the image of/.test(other.stderr)], [1, true]);
  const stranger = run("show", "newest.cose", "--signer", "11".repeat(32));
  assert.deepEqual([stranger.status, /not signed by the key/.test(stranger.stderr)], [1, true]);
});

test("refuses what no meter would take, and overwrites nothing", () => {
  const sign = (...more: string[]) =>
    run(
      "sign",
      "devkit-2.bin",
      "--key",
      "maker.json",
      "--board",
      "devkit",
      "--version",
      "3",
      "-o",
      "third.cose",
      ...more,
    );
  assert.equal(sign("--board", "Dev Kit").status, 1);
  assert.equal(sign("--least", "3").status, 1);
  assert.equal(sign("--version", "0").status, 2);
  assert.equal(sign("-o", "newest.cose").status, 1);
  assert.match(sign("-o", "newest.cose").stderr, /exists already/);
});

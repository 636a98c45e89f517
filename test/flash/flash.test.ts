import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { issueBundle } from "../../src/wire/firmware-bundle.js";
import { signerFromSeed } from "../../tools/crypto/signatures.js";
import { openChip } from "../../tools/flash/chip-loader.js";
import { buildFiles, composeBundle, webManifest } from "../../tools/flash/compose-bundle.js";
import { type FoundChip, planFlash } from "../../tools/flash/plan.js";
import type { WebPort } from "../../tools/flash/web-port.js";
import { createBundle, openBundle } from "../../tools/provisioning/flash/bundle-folder.js";
import { build, image } from "./builds.js";
import { type ChipTerms, EmulatedChip } from "./emulated-chip.js";

const maker = signerFromSeed(new Uint8Array(32).fill(7));
const stranger = signerFromSeed(new Uint8Array(32).fill(8));
const C3 = 5;
const MEGABYTE = 1_048_576;
const terms = {
  baud: 460_800,
  resets: false,
  md5: (bytes: Uint8Array) => createHash("md5").update(bytes).digest("hex"),
};

/** A port whose other end is the chip. */
function portOf(chip: EmulatedChip): WebPort & { readonly opened: number[] } {
  let out: ReadableStreamDefaultController<Uint8Array> | undefined;
  let streams: Pick<WebPort, "readable" | "writable"> = { readable: null, writable: null };
  const opened: number[] = [];
  return {
    opened,
    get readable() {
      return streams.readable;
    },
    get writable() {
      return streams.writable;
    },
    getInfo: () => ({}),
    async open({ baudRate }) {
      opened.push(baudRate);
      streams = {
        readable: new ReadableStream({
          start(controller) {
            out = controller;
          },
        }),
        writable: new WritableStream({
          write(bytes) {
            const answer = chip.receive(bytes);
            if (answer.length > 0) out?.enqueue(answer);
          },
        }),
      };
    },
    async setBaudRate(baudRate) {
      opened.push(baudRate);
    },
    async setSignals() {},
    async close() {
      streams = { readable: null, writable: null };
    },
  };
}

function bundleOf(chip: number) {
  const files = build(chip);
  const bundle = composeBundle("p1-adapter", 3, files);
  const names = Object.entries(buildFiles);
  const parts = bundle.parts.map(({ file, offset }) => {
    const [name] = names.find(([, candidate]) => candidate === file)!;
    return { file, offset, bytes: files[name as keyof typeof files] };
  });
  return { bundle, parts };
}

async function flashed(chipTerms: ChipTerms) {
  const chip = new EmulatedChip(chipTerms);
  const port = portOf(chip);
  const loader = await openChip(port, terms);
  const { bundle, parts } = bundleOf(C3);
  const plan = planFlash(bundle, parts, loader.found);
  if (plan.type === "write") await loader.write(plan.parts, () => {});
  await loader.leave();
  return { chip, port, plan, parts, found: loader.found };
}

test("finds the chip, its address and its flash, and writes each part to its place", async () => {
  const { chip, port, plan, parts, found } = await flashed({ chipId: C3, flashBytes: 4 * MEGABYTE });
  assert.deepEqual(found, {
    chip: C3,
    name: "ESP32-C3",
    mac: "11:22:33:44:55:66",
    flashBytes: 4 * MEGABYTE,
    isLocked: false,
    isEncrypted: false,
    isSecureBoot: false,
    locks: {
      ...{ cryptCount: 0, keyPurposes: [0, 0, 0, 0, 0, 0], isSecureBoot: false, isSecureDownload: false },
      ...{ revoked: [false, false, false], isPadJtagOff: false, isDownloadCacheOff: false },
      efuses: { hiddenKeys: 0, isHidingOver: false, isManualEncryptOff: false, bootDigest: undefined },
    },
  });
  assert.equal(plan.type, "write");
  for (const { offset, bytes } of parts) assert.ok(chip.flash.subarray(offset, offset + bytes.length).equals(bytes));
  assert.equal(port.readable, null, "the port is free again");
  assert.deepEqual(port.opened, [115_200, 460_800]);
  assert.ok(chip.commands.includes(0x13), "the chip has compared");
});

test("writes a locked chip by its ROM alone, and says that nothing is compared", async () => {
  const { chip, plan, parts, found } = await flashed({ chipId: C3, flashBytes: 4 * MEGABYTE, isLocked: true });
  assert.equal(found.isLocked, true);
  assert.equal(found.mac, undefined);
  assert.ok(plan.type === "write" && plan.warnings.length === 1);
  for (const { offset, bytes } of parts) assert.ok(chip.flash.subarray(offset, offset + bytes.length).equals(bytes));
  assert.ok(!chip.commands.includes(0x06), "no stub was started");
});

test("ends where the chip's flash is not what was sent, or the chip falls silent, and lets go of the port", async () => {
  for (const fault of [{ brokenAt: 0x20100 }, { diesAfter: 60 }]) {
    const port = portOf(new EmulatedChip({ chipId: C3, flashBytes: 4 * MEGABYTE, ...fault }));
    const loader = await openChip(port, terms);
    await assert.rejects(
      loader.write(bundleOf(C3).parts, () => {}),
      { code: "FLASH_FAILED" },
    );
    await loader.abandon();
    assert.equal(port.readable, null);
  }
});

test("says that no chip answers, and lets go of the port", async () => {
  const port = portOf(new EmulatedChip({ chipId: C3, flashBytes: MEGABYTE, diesAfter: 0 }));
  await assert.rejects(openChip(port, terms), { code: "CHIP_UNREACHABLE" });
  assert.equal(port.readable, null);
});

test("refuses another chip, too little flash, an encrypted chip, and images that secure boot would not start", () => {
  const { bundle, parts } = bundleOf(C3);
  const fits: FoundChip = {
    ...{ chip: C3, name: "ESP32-C3", mac: undefined, flashBytes: 4 * MEGABYTE },
    ...{ isLocked: false, isEncrypted: false, isSecureBoot: false, locks: undefined },
  };
  const reason = (change: Partial<FoundChip>) => {
    const plan = planFlash(bundle, parts, { ...fits, ...change });
    return plan.type === "refused" ? plan.reason : plan.type;
  };
  assert.equal(reason({}), "write");
  assert.match(reason({ chip: 9, name: "ESP32-S3" }), /^the chip is an ESP32-S3, .* is for the ESP32-C3$/);
  assert.match(reason({ chip: undefined, name: "ESP8266" }), /^the chip is an ESP8266/);
  assert.match(reason({ flashBytes: 2 * MEGABYTE }), /^the board has 2 MB of flash, .* needs 4 MB$/);
  assert.match(reason({ isEncrypted: true }), /encrypts its flash/);
  assert.match(reason({ isSecureBoot: true }), /bootloader\.bin is not signed for it$/);
  const signed = parts.map((part) => {
    const bytes = new Uint8Array(Math.ceil(part.bytes.length / 4096) * 4096 + 4096);
    bytes.set(part.bytes);
    bytes[bytes.length - 4096] = 0xe7;
    return { ...part, bytes };
  });
  assert.equal(planFlash(bundle, signed, { ...fits, isSecureBoot: true }).type, "write");
});

test("composes a bundle by the images' headers and the partition table, for the first ESP32 too", () => {
  const places = (chip: number) => composeBundle("devkit", 2, build(chip)).parts.map(({ offset }) => offset);
  assert.deepEqual(places(C3), [0, 0x8000, 0xf000, 0x20000]);
  assert.deepEqual(places(0), [0x1000, 0x8000, 0xf000, 0x20000]);
  const files = build(C3);
  const refused = (change: Partial<typeof files>, reason: RegExp) =>
    assert.throws(() => composeBundle("devkit", 2, { ...files, ...change }), reason);
  refused({ bootloader: image(9, 4, 20_000) }, /bootloader\.bin is for the ESP32-S3, xs_esp32\.bin for the ESP32-C3/);
  refused({ program: Buffer.from("no image, by far not one") }, /xs_esp32\.bin is no image/);
  refused({ program: image(C3, 4, 0x1b0001) }, /its partition ota_0/);
  refused({ partitions: Buffer.alloc(0xc00, 0xff) }, /no partition table/);
  refused({ program: image(77, 4, 30_000), bootloader: image(77, 4, 20_000) }, /chip of number 77/);
});

test("lets esp-web-tools find the same files", () => {
  assert.deepEqual(webManifest(composeBundle("p1-adapter", 3, build(C3))), {
    name: "Gridseal p1-adapter",
    version: "3",
    new_install_prompt_erase: true,
    builds: [
      {
        chipFamily: "ESP32-C3",
        parts: [
          { path: "bootloader.bin", offset: 0 },
          { path: "partition-table.bin", offset: 0x8000 },
          { path: "ota_data_initial.bin", offset: 0xf000 },
          { path: "xs_esp32.bin", offset: 0x20000 },
        ],
      },
    ],
  });
});

function buildFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "gridseal-flash-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const files = build(C3);
  for (const [name, file] of Object.entries(buildFiles))
    writeFileSync(join(folder, file), files[name as keyof typeof files]);
  return folder;
}

test("opens the folder that it made, and none that another signed or changed", async (t) => {
  const folder = buildFolder(t);
  const made = join(folder, "bundle");
  const bundle = await createBundle(made, { build: folder, board: "p1-adapter", version: 3 }, maker);
  const opened = await openBundle(made, maker.key);
  assert.deepEqual(opened.bundle, bundle);
  assert.deepEqual(
    opened.parts.map(({ bytes }) => bytes.length),
    bundle.parts.map(({ size }) => size),
  );
  await assert.rejects(openBundle(made, stranger.key), { code: "FIRMWARE_INVALID", message: /not signed by the key/ });
  const program = join(made, buildFiles.program);
  writeFileSync(program, image(C3, 4, 30_001));
  await assert.rejects(openBundle(made, maker.key), { code: "FIRMWARE_INVALID", message: /is not the file/ });
  rmSync(program);
  await assert.rejects(openBundle(made, maker.key), { code: "FILE_UNREADABLE" });
  writeFileSync(join(made, "bundle.cose"), issueBundle(bundle, maker).subarray(1));
  await assert.rejects(openBundle(made, maker.key), { code: "FIRMWARE_INVALID" });
});

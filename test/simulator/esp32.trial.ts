// What of the ESP32's firmware can be checked without a chip and without its toolchain: each board's manifests resolve, its partitions
// fit its flash, and its pins are the chip's. esp32-native.trial.ts has its C.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { test } from "node:test";
import { buildEsp32, root } from "../../tools/firmware/builds.js";
import { theSdk, withoutSdk } from "./harness.js";

const boards = join(root, "hosts/esp32/boards");
const targets: Readonly<Record<string, string>> = {
  devkit: "esp32",
  "devkit-s3": "esp32s3",
  "devkit-c6": "esp32c6",
  "p1-adapter": "esp32c3",
};
/** Pins of each chip's modules that are wired to their flash, or are not there (data sheets). */
const takenPins: Readonly<Record<string, readonly number[]>> = {
  esp32: [6, 7, 8, 9, 10, 11, 20, 24, 28, 29, 30, 31],
  esp32s3: [22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32],
  esp32c6: [24, 25, 26, 27, 28, 29, 30],
  esp32c3: [11, 12, 13, 14, 15, 16, 17],
};
const lastPin: Readonly<Record<string, number>> = { esp32: 39, esp32s3: 48, esp32c6: 30, esp32c3: 21 };
const SECTOR_BYTES = 0x1000;
/** Slots for images begin at a multiple of it (ESP-IDF, Partition Tables). */
const APP_ALIGNMENT = 0x10000;
const FIRST_FREE = 0x9000;

interface Partition {
  readonly name: string;
  readonly type: string;
  readonly offset: number;
  readonly size: number;
}

function partitionsOf(table: string): readonly Partition[] {
  return table
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line) => {
      const [name, type, , offset, size] = line.split(",").map((cell) => cell.trim());
      return { name: name!, type: type!, offset: Number(offset), size: Number(size) };
    });
}

/** Pins in a provider, by what they are for. */
function pinsOf(provider: string): ReadonlyMap<string, number> {
  const pins = new Map<string, number>();
  for (const [, what, fields] of provider.matchAll(/^ {2}(\w+): \{([^}]*)\}/gm)) {
    for (const [, field, pin] of fields!.matchAll(/(pin|receive|transmit): (\d+)/g))
      pins.set(`${what} ${field}`, Number(pin));
  }
  return pins;
}

test("there is a board for each chip: classic, S3, C3 and C6", () => {
  assert.deepEqual(readdirSync(boards).sort(), Object.keys(targets).sort());
});

for (const [board, chip] of Object.entries(targets)) {
  test(`${board}: manifests resolve for ${chip}, partitions fit the flash, pins are the chip's`, {
    skip: withoutSdk,
  }, async () => {
    const { folder } = await buildEsp32(theSdk(), `esp32:${join(boards, board)}`, "resolve");
    const project = join(folder, "tmp/esp32", board, "release", basename(root));
    const makefile = await readFile(join(project, "makefile"), "utf8");
    assert.equal(/^ESP32_SUBCLASS = (\S+)/m.exec(makefile)?.[1] ?? "esp32", chip);
    const settings = await readFile(join(project, `xsProj-${chip}/sdkconfig.mc`), "utf8");
    const settingOf = (name: string): string | undefined =>
      [...settings.matchAll(new RegExp(`^(?:CONFIG_${name}=(.*)|# CONFIG_${name} is not set)$`, "gm"))].at(-1)?.[1];
    assert.equal(settingOf("BOOTLOADER_APP_ROLLBACK_ENABLE"), "y");
    assert.equal(settingOf("ESP_TASK_WDT_EN"), "y");
    const flash_MB = [4, 8].filter((size) => settingOf(`ESPTOOLPY_FLASHSIZE_${size}MB`) === "y").at(-1)!;
    const table = partitionsOf(await readFile(join(project, `xsProj-${chip}/partitions.csv`), "utf8"));
    let end = FIRST_FREE;
    for (const { name, type, offset, size } of table) {
      assert.ok(offset >= end, `${name} begins behind what is before it`);
      assert.equal(offset % (type === "app" ? APP_ALIGNMENT : SECTOR_BYTES), 0, `${name} is aligned`);
      assert.equal(size % SECTOR_BYTES, 0);
      end = offset + size;
    }
    assert.ok(end <= flash_MB * 1024 * 1024, `${end} bytes of ${flash_MB} MB`);
    const sizeOf = (name: string): number => table.find((partition) => partition.name === name)?.size ?? 0;
    assert.ok(sizeOf("ota_0") > 0 && sizeOf("ota_0") === sizeOf("ota_1"), "two slots of one size");
    assert.ok(
      sizeOf("outbox") >= 64 * SECTOR_BYTES && sizeOf("nvs") >= 3 * SECTOR_BYTES && sizeOf("otadata") === 0x2000,
    );
    assert.match(await readFile(join(project, "mc.config.js"), "utf8"), new RegExp(`"board": "${board}"`));
    const pins = pinsOf(await readFile(join(boards, board, "host/provider.js"), "utf8"));
    assert.equal(new Set(pins.values()).size, pins.size, "no pin has two uses");
    for (const [use, pin] of pins)
      assert.ok(pin <= lastPin[chip]! && !takenPins[chip]!.includes(pin), `${use}: GPIO ${pin}`);
  });
}

// A bundle from what the build for a board leaves: the images say for which chip and flash they are, the partition table where they go.

import { WireError } from "../../src/wire/error.js";
import type { BundlePart, FirmwareBundle } from "../../src/wire/firmware-bundle.js";
import { sha256 } from "../../src/wire/hash.js";
import {
  APP,
  bootloaderOffset,
  chipNames,
  DATA,
  type EspImage,
  OTA_0,
  OTA_DATA,
  PARTITION_TABLE_OFFSET,
  type Partition,
  readEspImage,
  readPartitions,
} from "./esp-image.js";

/** The files of a build, by what they are; the names are those that the SDK's build gives them. */
export const buildFiles = {
  bootloader: "bootloader.bin",
  partitions: "partition-table.bin",
  otaData: "ota_data_initial.bin",
  program: "xs_esp32.bin",
} as const;

export type BuildFiles = Readonly<Record<keyof typeof buildFiles, Uint8Array>>;

/** The bundle of a build. Throws a WireError that says which of its files does not fit the others. */
export function composeBundle(board: string, version: number, files: BuildFiles): FirmwareBundle {
  const bootloader = imageOf(buildFiles.bootloader, files.bootloader);
  const program = imageOf(buildFiles.program, files.program);
  if (bootloader.chip !== program.chip) {
    const [left, right] = [nameOf(bootloader.chip), nameOf(program.chip)];
    throw new WireError("shape", `${buildFiles.bootloader} is for the ${left}, ${buildFiles.program} for the ${right}`);
  }
  const partitions = readPartitions(files.partitions);
  if (partitions === undefined) throw new WireError("shape", `${buildFiles.partitions} is no partition table`);
  const part = (name: keyof typeof buildFiles, offset: number): BundlePart => {
    return { offset, size: files[name].length, hash: sha256(files[name]), file: buildFiles[name] };
  };
  return {
    board,
    version,
    chip: program.chip,
    flashBytes: bootloader.flashBytes,
    parts: [
      part("bootloader", bootloaderOffset(program.chip)),
      part("partitions", PARTITION_TABLE_OFFSET),
      part("otaData", placeOf("otaData", files, partitions, DATA, OTA_DATA)),
      part("program", placeOf("program", files, partitions, APP, OTA_0)),
    ],
  };
}

function imageOf(file: string, bytes: Uint8Array): EspImage {
  const image = readEspImage(bytes);
  if (image === undefined) throw new WireError("shape", `${file} is no image of an ESP32`);
  if (!chipNames.has(image.chip)) throw new WireError("unsupported", `${file} is for a chip of number ${image.chip}`);
  return image;
}

/** Where the file's partition begins; it holds the file. */
function placeOf(
  name: keyof typeof buildFiles,
  files: BuildFiles,
  partitions: readonly Partition[],
  type: number,
  subtype: number,
): number {
  const partition = partitions.find((candidate) => candidate.type === type && candidate.subtype === subtype);
  const [file, bytes] = [buildFiles[name], files[name].length];
  if (partition === undefined) throw new WireError("shape", `${buildFiles.partitions} has no partition for ${file}`);
  if (bytes > partition.size)
    throw new WireError("limit", `${file} has ${bytes} bytes, its partition ${partition.name} ${partition.size}`);
  return partition.offset;
}

/** The name of a chip, or its number. */
export function nameOf(chip: number): string {
  return chipNames.get(chip) ?? `chip ${chip}`;
}

/**
 * The manifest that esp-web-tools reads, so that its page flashes the same files; builds by `chipFamily`, parts by path and offset.
 * https://github.com/esphome/esp-web-tools: "Creating your manifest".
 */
export function webManifest({ board, version, chip, parts }: FirmwareBundle): object {
  return {
    name: `Gridseal ${board}`,
    version: String(version),
    new_install_prompt_erase: true,
    builds: [{ chipFamily: nameOf(chip), parts: parts.map(({ file, offset }) => ({ path: file, offset })) }],
  };
}

// What the first bytes of an ESP32's image say of it, and what the binary partition table says of a flash. ESP-IDF Programming Guide,
// "App Image Format" (esp_image_header_t) and "Partition Tables".

/** Chips as `esp_chip_id_t` numbers them, by the names that esptool has for them. */
export const chipNames: ReadonlyMap<number, string> = new Map([
  [0, "ESP32"],
  [2, "ESP32-S2"],
  [5, "ESP32-C3"],
  [9, "ESP32-S3"],
  [12, "ESP32-C2"],
  [13, "ESP32-C6"],
  [16, "ESP32-H2"],
]);

/** Where the bootloader of a chip stands: the first ones leave a page for secure boot's digest. */
export function bootloaderOffset(chip: number): number {
  return chip === 0 || chip === 2 ? 0x1000 : 0;
}

export interface EspImage {
  readonly chip: number;
  /** flash that the image is made for, bytes */
  readonly flashBytes: number;
}

const IMAGE_MAGIC = 0xe9;
const HEADER_BYTES = 24;
const MEGABYTE = 1_048_576;

/** Reads an image's header; undefined where there is none. */
export function readEspImage(bytes: Uint8Array): EspImage | undefined {
  if (bytes.length < HEADER_BYTES || bytes[0] !== IMAGE_MAGIC) return undefined;
  // The upper half of byte 3: 0 for 1 MB, and each further one for twice as much.
  const size = bytes[3]! >> 4;
  return { chip: bytes[12]! + 256 * bytes[13]!, flashBytes: MEGABYTE * 2 ** size };
}

export interface Partition {
  readonly name: string;
  readonly type: number;
  readonly subtype: number;
  readonly offset: number;
  readonly size: number;
}

export const PARTITION_TABLE_OFFSET = 0x8000;
export const APP = 0;
export const DATA = 1;
export const OTA_0 = 0x10;
export const OTA_DATA = 0;
const ENTRY_BYTES = 32;
const ENTRIES_MAX = 95;

/** The partitions of a table as gen_esp32part writes it; undefined where it is none. */
export function readPartitions(bytes: Uint8Array): readonly Partition[] | undefined {
  const partitions: Partition[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + ENTRY_BYTES <= bytes.length && partitions.length < ENTRIES_MAX; at += ENTRY_BYTES) {
    const magic = view.getUint16(at);
    // The hash of the entries, or erased flash, is the end.
    if (magic !== 0xaa50)
      return partitions.length > 0 && (magic === 0xebeb || magic === 0xffff) ? partitions : undefined;
    const name = bytes.subarray(at + 12, at + 28);
    const end = name.indexOf(0);
    partitions.push({
      name: new TextDecoder().decode(end < 0 ? name : name.subarray(0, end)),
      type: bytes[at + 2]!,
      subtype: bytes[at + 3]!,
      offset: view.getUint32(at + 4, true),
      size: view.getUint32(at + 8, true),
    });
  }
  return partitions.length > 0 ? partitions : undefined;
}

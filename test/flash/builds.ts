// Builds for tests: images with a header, and a partition table, as ESP-IDF's documents lay them out; made without the code under test.

import { createHash } from "node:crypto";

/** An image of so many bytes for a chip, with the flash size that its header states. */
export function image(chip: number, megabytes: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 1) bytes[at] = (at * 7 + (at >> 8)) & 0xff;
  bytes[0] = 0xe9;
  bytes[1] = 1;
  bytes[3] = Math.log2(megabytes) << 4;
  bytes.writeUInt16LE(chip, 12);
  return bytes;
}

/** The partition table of hosts/esp32/flash-4mb, in binary. */
export function partitionTable(): Buffer {
  const rows: readonly [string, number, number, number, number][] = [
    ["nvs", 1, 2, 0x9000, 0x6000],
    ["otadata", 1, 0, 0xf000, 0x2000],
    ["phy_init", 1, 1, 0x11000, 0x1000],
    ["ota_0", 0, 0x10, 0x20000, 0x1b0000],
    ["ota_1", 0, 0x11, 0x1d0000, 0x1b0000],
    ["outbox", 1, 0x40, 0x380000, 0x80000],
  ];
  const entries = rows.map(([name, type, subtype, offset, size]) => {
    const entry = Buffer.alloc(32);
    entry.writeUInt16BE(0xaa50, 0);
    entry[2] = type;
    entry[3] = subtype;
    entry.writeUInt32LE(offset, 4);
    entry.writeUInt32LE(size, 8);
    entry.write(name, 12, "latin1");
    return entry;
  });
  const listed = Buffer.concat(entries);
  const sum = Buffer.concat([
    Buffer.from("ebeb", "hex"),
    Buffer.alloc(14, 0xff),
    createHash("md5").update(listed).digest(),
  ]);
  return Buffer.concat([listed, sum, Buffer.alloc(0xc00 - listed.length - sum.length, 0xff)]);
}

/** The files of a build for a chip with 4 MB of flash. */
export function build(chip: number, programBytes = 30_000) {
  return {
    bootloader: image(chip, 4, 20_000),
    partitions: partitionTable(),
    otaData: Buffer.alloc(0x2000, 0xff),
    program: image(chip, 4, programBytes),
  };
}

// How large the firmware is: the ESP32's ROM image as the SDK's linker makes it (which needs no toolchain for the chip), and what a
// simulated meter takes of RAM. The limits are in manifest.json; what is over one fails.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { buildEsp32, root } from "./builds.js";
import { runTool, type Sdk } from "./sdk.js";

export interface RomSize {
  /** slots, strings, code and BigInts of the JavaScript half; XS itself is some 200 kB more */
  readonly bytes: number;
  readonly slots: number;
  /** objects in ROM that the program may change: each costs a pointer in RAM, and its copy once it is changed */
  readonly aliases: number;
  /** property names in ROM */
  readonly keys: number;
}

/** What config.limits of manifest.json allows. */
type Limits = Readonly<Record<"romBytes" | "romAliases" | "romKeys", number>>;

const BOARD = "p1-adapter";
/** of a 32-bit engine */
const SLOT_BYTES = 16;

/** Prints the sizes and throws where one is over its limit. */
export async function reportSize(sdk: Sdk): Promise<void> {
  const size = await romSize(sdk);
  const manifest = JSON.parse(await readFile(join(root, "manifest.json"), "utf8")) as { config: { limits: Limits } };
  const { romBytes, romAliases, romKeys } = manifest.config.limits;
  const rows = [
    ["ROM bytes", size.bytes, romBytes],
    ["ROM aliases", size.aliases, romAliases],
    ["ROM keys", size.keys, romKeys],
  ] as const;
  for (const [what, found, limit] of rows) console.log(`${what}: ${found} of at most ${limit}`);
  console.log(`ROM slots: ${size.slots}`);
  const over = rows.filter(([, found, limit]) => found > limit);
  if (over.length > 0) throw new Error(`over the limit: ${over.map(([what]) => what).join(", ")}`);
}

/** Links the ROM image of a board and counts it. */
export async function romSize(sdk: Sdk): Promise<RomSize> {
  const { folder } = await buildEsp32(sdk, `esp32:${join(root, "hosts/esp32/boards", BOARD)}`, "resolve");
  const project = join(folder, "tmp/esp32", BOARD, "release", root.split("/").at(-1)!);
  const target = join(project, "mc.xs.c");
  // The makefile asks for an ESP-IDF before anything else. Linking needs none of it, so it is shown a folder under git.
  const configured = join(project, "xsProj-esp32c3/build/config/sdkconfig.h");
  const options = ["-f", join(project, "makefile"), `IDF_PATH=${root}`, "-o", configured, target];
  const { status, output } = await runTool(sdk, "make", options, project);
  if (status !== 0) throw new Error(`the ROM image cannot be linked:\n${output.slice(-2000)}`);
  return countRom(await readFile(target, "utf8"));
}

/** Counts what the linker wrote as C. */
export function countRom(source: string): RomSize {
  const count = (name: string): number =>
    Number(new RegExp(`^#define mx${name}Count (\\d+)`, "m").exec(source)?.[1] ?? 0);
  const slots = count("Heap") + count("Stack");
  let bytes = SLOT_BYTES * slots + 4 * (count("BigInt") + count("RegExp") + count("Keys"));
  for (const [, length] of source.matchAll(/^static const txU1 gxCode\d+\[(\d+)\];/gm)) bytes += Number(length);
  for (const literal of source.matchAll(/"((?:[^"\\\n]|\\x[0-9A-Fa-f]{2}|\\.)*)"/g)) bytes += literalBytes(literal[1]!);
  return { bytes, slots, aliases: count("Alias"), keys: count("Keys") };
}

/** Bytes of a string literal of C with its end. */
function literalBytes(text: string): number {
  return text.replace(/\\x[0-9A-Fa-f]{2}|\\[0-7]{1,3}|\\./g, ".").length + 1;
}

// How large the firmware is. ROM: the image that the SDK's linker makes for an ESP32 board, compiled for 32 bits, which needs no
// toolchain of the chip's. RAM: what an hour takes in the one pool that the chip has. The limits are in manifest.json; more fails.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Aedes } from "aedes";
import { buildEsp32, buildSimulator, chipCompiler, root } from "./builds.js";
import type { Signatures } from "./compile.js";
import { type HourOutcome, runHour } from "./hour.js";
import { runTool, type Sdk } from "./sdk.js";

/** What the linked JavaScript takes of flash. XS, the SDK's natives and ESP-IDF come on top, and only a build for the chip shows them. */
export interface RomSize {
  /** as the compiler lays it out for 32 bits */
  readonly bytes: number;
  /** of these, XS's slots of 16 bytes */
  readonly slots: number;
  /** objects in ROM that the program may change: each costs a pointer in RAM, and its copy once it is changed */
  readonly aliases: number;
  /** property names */
  readonly keys: number;
}

/** What manifest.json allows: the stack of its creation, the rest of its limits, which the SDK's tools leave alone. */
export interface Limits {
  readonly romBytes: number;
  readonly romAliases: number;
  readonly romKeys: number;
  /** in which the hour must run: the pool, or less of it where the chip's own modules need the rest */
  readonly hourPoolBytes: number;
  readonly stackSlots: number;
}

/** A size and what it may be. */
export interface Row {
  readonly what: string;
  readonly found: number;
  readonly limit: number;
}

const BOARD = "p1-adapter";
/** of a 32-bit engine */
const SLOT_BYTES = 16;
const HOUR_MINUTES = 60;
/** Faster than this, a shared machine falls behind the telegrams. */
const HOUR_SPEED = 20;

/** Prints the sizes and throws where one is over its limit. */
export async function reportSize(sdk: Sdk): Promise<void> {
  const limits = readLimits(JSON.parse(await readFile(join(root, "manifest.json"), "utf8")));
  const native = await romSize(sdk, "libsodium");
  const rom = await romSize(sdk, "noble");
  const hour = await measureHour(sdk, limits);
  const rows = rowsOf(rom, hour, limits);
  for (const { what, found, limit } of rows) console.log(`${what}: ${found} of at most ${limit}`);
  const { use, sealed } = hour;
  console.log(`ROM slots: ${rom.slots}; with signatures by libsodium ${native.bytes} bytes, ${native.slots} slots`);
  console.log(`an hour in ${limits.hourPoolBytes} bytes: ${sealed} records sealed, ${use.erases} sectors erased`);
  console.log(`reserved: ${use.chunkBytes} bytes of chunks, ${use.slots} slots`);
  console.log(`in use at its end: ${use.liveChunkBytes} bytes of chunks, ${use.liveSlots} slots`);
  const over = rows.filter(({ found, limit }) => found > limit);
  if (over.length > 0) throw new Error(`over the limit: ${over.map(({ what }) => what).join(", ")}`);
  if (hour.errors.length > 0 || sealed < hour.appended)
    throw new Error(`of ${hour.appended} records ${sealed} were sealed: ${hour.errors.join("; ")}`);
}

/** The limits in the manifest. Throws where one is not there. */
export function readLimits(manifest: unknown): Limits {
  const { creation, limits } = manifest as { creation?: { stack?: unknown }; limits?: Record<string, unknown> };
  const number = (what: string, value: unknown): number => {
    if (typeof value === "number" && value > 0) return value;
    throw new Error(`manifest.json states no ${what}`);
  };
  const stated = (name: string): number => number(`limits.${name}`, limits?.[name]);
  return {
    romBytes: stated("romBytes"),
    romAliases: stated("romAliases"),
    romKeys: stated("romKeys"),
    hourPoolBytes: stated("hourPoolBytes"),
    stackSlots: number("creation.stack", creation?.stack),
  };
}

/** What is held against the limits. */
export function rowsOf(rom: RomSize, { use }: Pick<HourOutcome, "use">, limits: Limits): Row[] {
  return [
    { what: "ROM bytes", found: rom.bytes, limit: limits.romBytes },
    { what: "ROM aliases", found: rom.aliases, limit: limits.romAliases },
    { what: "ROM keys", found: rom.keys, limit: limits.romKeys },
    { what: "stack slots", found: use.stackSlotsUsed, limit: limits.stackSlots },
  ];
}

/** Links the ROM image of a board, compiles it for 32 bits and counts it. */
export async function romSize(sdk: Sdk, signatures: Signatures): Promise<RomSize> {
  const { folder } = await buildEsp32(sdk, `esp32:${join(root, "hosts/esp32/boards", BOARD)}`, "resolve", signatures);
  const project = join(folder, "tmp/esp32", BOARD, "release", root.split("/").at(-1)!);
  const linked = join(project, "mc.xs.c");
  // The makefile asks for an ESP-IDF before anything else. Linking needs none of it, so it is shown a folder under git.
  const configured = join(project, "xsProj-esp32c3/build/config/sdkconfig.h");
  await run(sdk, "make", ["-f", join(project, "makefile"), `IDF_PATH=${root}`, "-o", configured, linked], project);
  const object = join(project, "rom.o");
  const compiler = await chipCompiler(sdk);
  await run(sdk, compiler[0]!, [...compiler.slice(1), "-I", project, "-Os", "-w", "-c", linked, "-o", object], project);
  const bytes = sectionBytes(await run(sdk, "size", ["-A", object], project));
  return { bytes, ...countRom(await readFile(linked, "utf8")) };
}

async function run(sdk: Sdk, tool: string, options: readonly string[], folder: string): Promise<string> {
  const { status, output } = await runTool(sdk, tool, options, folder);
  if (status !== 0) throw new Error(`the ROM image cannot be made: ${tool} failed:\n${output.slice(-2000)}`);
  return output;
}

/** Counts what the linker wrote as C. */
export function countRom(source: string): Omit<RomSize, "bytes"> {
  const count = (name: string): number =>
    Number(new RegExp(`^#define mx${name}Count (\\d+)`, "m").exec(source)?.[1] ?? 0);
  return { slots: count("Heap") + count("Stack"), aliases: count("Alias"), keys: count("Keys") };
}

/** The data in a listing of `size -A`, code of the host that the linker adds left out. */
export function sectionBytes(listing: string): number {
  let bytes = 0;
  for (const [, size] of listing.matchAll(/^\.(?:ro)?data\S*\s+(\d+)/gm)) bytes += Number(size);
  return bytes;
}

/**
 * The hour, over a broker in this process. The engine itself keeps it within its pool. Its stack is twice as deep as allowed, and the
 * pool larger by so much: what a regular expression scribbles at the far end would hide how deep the stack was used.
 */
async function measureHour(sdk: Sdk, { hourPoolBytes, stackSlots }: Limits): Promise<HourOutcome> {
  const build = await buildSimulator(sdk);
  const folder = await mkdtemp(join(tmpdir(), "gridseal-hour-"));
  const broker = await Aedes.createBroker();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    broker.handle(socket);
  });
  const interrupt = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  try {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const url = `mqtt://127.0.0.1:${port}`;
    const memory = { poolBytes: hourPoolBytes + SLOT_BYTES * stackSlots, stackSlots: 2 * stackSlots };
    return await runHour(build, { folder, broker: url, interrupt, minutes: HOUR_MINUTES, speed: HOUR_SPEED, memory });
  } finally {
    await interrupt();
    server.close();
    broker.close();
    await rm(folder, { recursive: true, force: true });
  }
}

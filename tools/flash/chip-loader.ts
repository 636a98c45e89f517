// A chip in download mode, by esptool-js over a port of the form that Web Serial has: one core for the command and for a page.

import type { ESPLoader, FlashSizeValues, LoaderOptions } from "esptool-js";
import { GridsealError, reasonOf } from "../errors.js";
import { readLocks } from "./chip-locks.js";
import type { FlashPart, FoundChip } from "./plan.js";
import type { WebPort } from "./web-port.js";

/** How a chip is reached. */
export interface LoaderTerms {
  /** bits a second while the flash is written; the chip begins at 115,200 */
  readonly baud: number;
  /** false where somebody holds BOOT and presses RESET instead of the port's lines */
  readonly resets: boolean;
  /** MD5 as hex, by which the chip's flash is compared with what was sent */
  readonly md5: (bytes: Uint8Array) => string;
}

export interface FlashProgress {
  readonly file: string;
  readonly written: number;
  readonly bytes: number;
}

export interface ChipLoader {
  readonly found: FoundChip;
  /** Writes the parts; resolves once the chip has compared them, where it can. Rejects with FLASH_FAILED. */
  write(parts: readonly FlashPart[], onProgress: (progress: FlashProgress) => void): Promise<void>;
  /** Starts what is in the flash and lets go of the port. */
  leave(): Promise<void>;
  /** Lets go of the port and leaves the chip as it is. */
  abandon(): Promise<void>;
}

const ROM_BAUD = 115_200;
/** Letting go of a port that works takes less. */
const RELEASE_MS_MAX = 3_000;

/** Finds the chip at the port. Rejects with CHIP_UNREACHABLE; the port is free then. */
export async function openChip(port: WebPort, terms: LoaderTerms): Promise<ChipLoader> {
  const { ESPLoader, Transport } = await import("esptool-js");
  /** The library prints what it traces to the terminal, asked or not. */
  class QuietTransport extends Transport {
    override trace(): void {}
  }
  // The library's type of a port is the browser's whole one; it calls what WebPort has.
  const transport = new QuietTransport(port as unknown as ConstructorParameters<typeof Transport>[0], false);
  const said: string[] = [];
  const terminal = {
    clean() {},
    write: (text: string) => note(said, text),
    writeLine: (text: string) => note(said, text),
  };
  const options: LoaderOptions = { transport, baudrate: terms.baud, romBaudrate: ROM_BAUD, terminal };
  const loader = new ESPLoader(options);
  try {
    await loader.main(terms.resets ? "default_reset" : "no_reset");
    const found = await describe(loader);
    return { found, ...acting(loader, () => release(transport, port), terms) };
  } catch (cause) {
    await release(transport, port);
    throw new GridsealError("CHIP_UNREACHABLE", `no chip answers in download mode: ${reasonOf(cause)}`, { cause });
  }
}

/** The last lines that the library has said, for an error's sake. */
function note(said: string[], text: string): void {
  said.push(text);
  if (said.length > 20) said.shift();
}

async function describe(loader: ESPLoader): Promise<FoundChip> {
  const { chip, secureDownloadMode: isLocked } = loader;
  const number = imageChip(chip);
  const locks = await readLocks(loader, number);
  const size = isLocked ? undefined : await loader.detectFlashSize();
  return {
    chip: number,
    name: chip.CHIP_NAME,
    mac: isLocked ? undefined : await chip.readMac(loader),
    flashBytes: size === undefined ? undefined : loader.flashSizeBytes(size as FlashSizeValues),
    isLocked,
    isEncrypted: locks !== undefined && isOdd(locks.cryptCount),
    isSecureBoot: locks?.isSecureBoot ?? false,
    locks,
  };
}

function imageChip(chip: object): number | undefined {
  const number = "IMAGE_CHIP_ID" in chip ? chip.IMAGE_CHIP_ID : undefined;
  return typeof number === "number" ? number : undefined;
}

/** Encryption is on where an odd number of the counter's bits is set. */
function isOdd(bits: number): boolean {
  return ((bits ^ (bits >> 1) ^ (bits >> 2)) & 1) === 1;
}

function acting(loader: ESPLoader, letGo: () => Promise<void>, { md5 }: LoaderTerms): Omit<ChipLoader, "found"> {
  return {
    async write(parts, onProgress) {
      let at = "nothing";
      try {
        await loader.writeFlash({
          fileArray: parts.map(({ bytes, offset }) => ({ data: bytes, address: offset })),
          flashMode: "keep",
          flashFreq: "keep",
          flashSize: "keep",
          eraseAll: false,
          compress: true,
          // Without its stub the library reads the ROM's answer wrongly, and every comparison fails.
          ...(loader.IS_STUB && { calculateMD5Hash: md5 }),
          reportProgress(index, written, bytes) {
            at = parts[index]!.file;
            onProgress({ file: at, written, bytes });
          },
        });
      } catch (cause) {
        throw new GridsealError("FLASH_FAILED", `writing ended at ${at}: ${reasonOf(cause)}`, { cause });
      }
    },
    async leave() {
      // A port whose lines do nothing leaves the reset to whoever holds the board.
      await loader.after("hard_reset").catch(() => {});
      await letGo();
    },
    abandon: letGo,
  };
}

/** The library waits without end for a write that was never taken: the port is closed over its head then. */
async function release(transport: { disconnect(): Promise<void> }, port: WebPort): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, RELEASE_MS_MAX);
  });
  await Promise.race([transport.disconnect().catch(() => {}), late]);
  clearTimeout(timer);
  await port.close().catch(() => {});
}

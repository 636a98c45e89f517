// The firmware on an emulated RV32 that counts its instructions (hosts/counter): built with Debian's compiler and C library for RISC-V,
// run by QEMU, one line in, answers until it is ready for the next.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { toHex } from "../../src/wire/bytes.js";
import { cache, chipVariables, configure, notOnChips, quickenSockets, root } from "./builds.js";
import { compileFirmware, type Signatures } from "./compile.js";
import { Missing, runTool, type Sdk } from "./sdk.js";

const EMULATOR = "qemu-system-riscv32";
const COMPILER = "riscv64-unknown-elf-gcc";
/** As Espressif's compiler makes code for the C3 and C6. */
const ARCHITECTURE = ["-march=rv32imac", "-mabi=ilp32", "--specs=picolibc.specs"];
/** QEMU's machine `virt` has memory from there on. */
const MEMORY = ["flash=0x80000000", "flash_size=0x00800000", "ram=0x80800000", "ram_size=0x06000000", "stack_size=0x20000"];
/** Of Linux: nothing of it is called here, and what the linker does not find of it stays away. */
const ofLinux = ["native.c", "serial.c", "tcp.c", "listener.c", "builtinCommon.c"] as const;

/** What the firmware says: a word, a text, bytes. */
export interface Said {
  readonly word: string;
  readonly text: string;
  readonly bytes: Uint8Array;
}

export interface Answer {
  /** instructions of each turn of the loop that it took */
  readonly steps: readonly number[];
  readonly said: readonly Said[];
}

export interface Counter {
  /** Says a line and waits until all that follows from it is done. Throws where the firmware has ended. */
  tell(word: string, text?: string, bytes?: Uint8Array): Promise<Answer>;
  close(): Promise<void>;
}

/** Builds the program. Throws `Missing` where the machine has no compiler or emulator for RISC-V. */
export async function buildCounter(sdk: Sdk, signatures: Signatures, libsodium?: string): Promise<string> {
  for (const tool of [EMULATOR, COMPILER]) {
    const there = await runTool(sdk, tool, ["--version"], root).then(({ status }) => status === 0, () => false);
    if (!there)
      throw new Missing(`${tool} is not there: on Debian, apt install qemu-system-misc gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf.`);
  }
  const modules = await compileFirmware(root, signatures, ["hosts/counter"]);
  await quickenSockets(sdk, modules);
  // The manifest's host is the simulator's: this one takes its place.
  await writeFile(join(modules, "host-simulator.js"), `export { default } from "hosts/counter/host";\n`);
  const output = join(cache, "counter", signatures);
  const place = "lin/mc/release/counter";
  await mkdir(join(output, "bin", place), { recursive: true });
  await configure(sdk, ["-p", "lin", "-t", "build", "-o", output], join(root, "hosts/counter/manifest.json"));
  const makefile = join(output, "tmp", place, "makefile");
  const headers = libsodium === undefined ? [] : ["-I", join(libsodium, "include")];
  const variables = chipVariables(sdk, await readFile(makefile, "utf8"), {
    compiler: [COMPILER, ...ARCHITECTURE, ...headers],
    optimisation: "-Os -ffunction-sections",
    added: ["xsHosts.c", "timer.c"],
    leftOut: [...notOnChips, ...ofLinux],
  });
  const memory = MEMORY.map((symbol) => `-Wl,--defsym=__${symbol}`).join(" ");
  const link = `LINK_OPTIONS=--crt0=minimal -Wl,--gc-sections -Wl,--unresolved-symbols=ignore-all ${memory}`;
  const libraries = `LINK_LIBRARIES=-lm${libsodium === undefined ? "" : ` -L${join(libsodium, "lib")} -lsodium`}`;
  const made = await runTool(sdk, "make", ["-f", makefile, "build", ...variables, link, libraries], root);
  if (made.status !== 0) throw new Error(`make for RISC-V failed:\n${made.output.slice(-4000)}`);
  return join(output, "bin", place, "mc.so");
}

/** Starts the program with what it is given; it, and what its start took. */
export async function startCounter(
  program: string,
  given: Readonly<Record<string, Uint8Array>>,
): Promise<{ readonly counter: Counter; readonly boot: Answer }> {
  const machine = ["-machine", "virt", "-m", "128M", "-bios", "none", "-display", "none", "-monitor", "none", "-serial", "none"];
  // One instruction a tick: the counter is exact.
  const counting = ["-icount", "shift=0", "-semihosting-config", "enable=on,target=native,chardev=lines"];
  const child = spawn(EMULATOR, [...machine, ...counting, "-chardev", "stdio,id=lines,signal=off", "-kernel", program], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.on("exit", (c, s) => console.error("exit", c, s)); let n = 0;
  const answers = answersOf(child);
  const say = (word: string, text: string, bytes: Uint8Array): void => void console.error(n++, word, text, bytes.length) ?? void child.stdin!.write(`${word} ${text} ${toHex(bytes)}\n`);
  for (const [name, bytes] of Object.entries(given)) say("given", name, bytes);
  say("start", "-", new Uint8Array(0));
  const boot = await answers();
  const counter: Counter = {
    tell(word, text = "-", bytes = new Uint8Array(0)) {
      say(word, text, bytes);
      return answers();
    },
    close() {
      child.kill("SIGKILL");
      return new Promise((resolve) => (child.exitCode === null ? child.once("close", () => resolve()) : resolve()));
    },
  };
  return { counter, boot };
}

/** Takes what is said until `ready`. */
function answersOf(child: ChildProcess): () => Promise<Answer> {
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  return async () => {
    const steps: number[] = []; let last: string[] = [];
    const said: Said[] = [];
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error("the firmware has ended" + last.slice(-6).join("\n") + child.exitCode + child.signalCode); last.push(String(value).slice(0,200));
      const [word = "", text = "", hex = ""] = (value as string).split(" ");
      if (word === "aborted") throw new Error(`the firmware has ended: ${value}`);
      if (word === "ready") return { steps, said };
      if (word === "step") steps.push(Number(text));
      else said.push({ word, text, bytes: new Uint8Array(Buffer.from(hex, "hex")) });
    }
  };
}

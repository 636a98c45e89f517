// The C of the ESP32's host, compiled as the SDK compiles it: with its options and its list of folders, by Debian's compiler for RISC-V
// against the ESP-IDF that IDF_PATH names, and where there is none by this machine's against declarations in the same folders.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { type TestContext, test } from "node:test";
import { root } from "../../tools/firmware/builds.js";
import { runTool } from "../../tools/firmware/sdk.js";
import { romSize } from "../../tools/firmware/size.js";
import { temporaryFolder, theSdk, withoutSdk } from "./harness.js";

const hosts = join(root, "hosts/esp32");
const declared = join(root, "test/hosts/esp32/idf");
const idf = process.env.IDF_PATH;
const withoutIdf = idf !== undefined && existsSync(join(idf, "components")) ? false : "IDF_PATH names no ESP-IDF";
const BOARD = "p1-adapter";
const CHIP = "esp32c3";
const riscv = "riscv64-unknown-elf-gcc";

/** What the SDK's sdkconfig for this chip and ESP-IDF's defaults say; those of the chip itself are read from ESP-IDF. */
const settings: Readonly<Record<string, string>> = {
  IDF_TARGET_ESP32C3: "1",
  IDF_TARGET_ARCH_RISCV: "1",
  FREERTOS_UNICORE: "1",
  FREERTOS_NUMBER_OF_CORES: "1",
  FREERTOS_HZ: "1000",
  FREERTOS_MAX_TASK_NAME_LEN: "16",
  FREERTOS_TASK_NOTIFICATION_ARRAY_ENTRIES: "1",
  FREERTOS_IDLE_TASK_STACKSIZE: "1024",
  FREERTOS_ISR_STACKSIZE: "2100",
  FREERTOS_QUEUE_REGISTRY_SIZE: "0",
  FREERTOS_THREAD_LOCAL_STORAGE_POINTERS: "1",
  FREERTOS_TIMER_TASK_PRIORITY: "1",
  FREERTOS_TIMER_TASK_STACK_DEPTH: "2048",
  FREERTOS_TIMER_QUEUE_LENGTH: "10",
  FREERTOS_SYSTICK_USES_SYSTIMER: "1",
  BOOTLOADER_LOG_LEVEL: "0",
  LOG_DEFAULT_LEVEL: "0",
  LOG_MAXIMUM_LEVEL: "0",
  LOG_VERSION: "1",
  LOG_TIMESTAMP_SOURCE_RTOS: "1",
  ESP_TASK_WDT_EN: "1",
  ESP_TASK_WDT_TIMEOUT_S: "30",
  UART_ISR_IN_IRAM: "1",
  LWIP_TCP_OVERSIZE_MSS: "1",
  // Debian has picolibc for this chip, and no newlib.
  LIBC_PICOLIBC: "1",
  MMU_PAGE_SIZE: "0x10000",
};

/** The SDK's own words for compiling a file of this board: definitions, folders and options. */
async function wordsOf(project: string, idfPath: string): Promise<string[]> {
  const show = "show:\n\t@echo $(C_DEFINES) $(C_INCLUDES) $(C_FLAGS)";
  const options = ["-s", "-f", join(project, "makefile"), `--eval=${show}`, `IDF_PATH=${idfPath}`, "show"];
  const { status, output } = await runTool(theSdk(), "make", options, project);
  assert.equal(status, 0, output);
  const line = output.split("\n").find((each) => each.includes("-DESP32"))!;
  // The file that make would keep of dependencies, and what is said to a linker.
  return line.split(" ").filter((word) => !["", "-MMD", "-MP", "-Wl,-EL"].includes(word));
}

/** sdkconfig.h as idf.py would write it, as far as anything here asks. */
async function writeSettings(folder: string, idfPath: string): Promise<void> {
  const places = [join("soc", CHIP, "include/soc/Kconfig.soc_caps.in"), "lwip/Kconfig"];
  const kconfigs = await Promise.all(places.map((place) => readFile(join(idfPath, "components", place), "utf8")));
  const all = [...kconfigs.flatMap(defaultsOf), ...Object.entries(settings)];
  const lines = all.map(([name, value]) => `#define CONFIG_${name} ${value}\n`);
  await writeFile(join(folder, "sdkconfig.h"), ["#pragma once\n", ...lines].join(""));
}

/** Settings of a Kconfig that have a plain default other than no. */
function defaultsOf(kconfig: string): (readonly [name: string, value: string])[] {
  return kconfig.split(/^\s*config /m).flatMap((part) => {
    const name = /^\w+/.exec(part)?.[0];
    const value = /^\s*default (y|-?\d+|0x[0-9a-fA-F]+)\s*$/m.exec(part.split(/^\s*(?:choice|menu)/m)[0]!)?.[1];
    return name === undefined || value === undefined ? [] : [[name, value === "y" ? "1" : value] as const];
  });
}

async function linked(): Promise<string> {
  await romSize(theSdk(), "libsodium");
  return join(root, ".cache/firmware/esp32", BOARD, "tmp/esp32", BOARD, "release", basename(root));
}

async function ownSources(): Promise<string[]> {
  return (await readdir(hosts)).filter((name) => name.endsWith(".c")).map((name) => join(hosts, name));
}

const warnings = ["-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-fsyntax-only"];

test("the C of the chip compiles as the SDK compiles it, for RISC-V and against ESP-IDF, without a warning", {
  skip: withoutSdk || withoutIdf,
}, async (t) => {
  const project = await linked();
  const folder = await temporaryFolder(t);
  await writeSettings(folder, idf!);
  const words = [...(await wordsOf(project, idf!)), "-mabi=ilp32", "-specs=picolibc.specs", "-I", folder];
  for (const source of await ownSources()) {
    const { status, output } = await runTool(theSdk(), riscv, [...words, ...warnings, source], project);
    assert.equal(status, 0, `${source}:\n${output}`);
  }
  // What of the SDK the host stands on, by the same words: where these fail, it is these words that are wrong.
  for (const source of ["io/serial/esp32/serial.c", "io/flash/esp32/flash-esp32.c", "io/digital/esp32/digitalbank.c"]) {
    const path = join(theSdk().folder, "modules", source);
    const { status, output } = await runTool(theSdk(), riscv, [...words, "-w", "-fsyntax-only", path], project);
    assert.equal(status, 0, `${source}:\n${output}`);
  }
});

test("the C of the chip compiles against declarations of what it calls, each in its folder of ESP-IDF", {
  skip: withoutSdk,
}, async () => {
  const project = await linked();
  const words = (await wordsOf(project, root))
    .filter((word) => word.startsWith("-I"))
    .map((word) => word.replace(`-I${root}/components`, `-I${declared}/components`))
    .filter((word) => !word.includes("/platforms/esp"));
  const platforms = [join(root, "hosts/simulator/chip"), join(theSdk().folder, "xs/platforms")];
  const xs = ["-DINCLUDE_XSPLATFORM=1", '-DXSPLATFORM="chip.h"', ...platforms.flatMap((folder) => ["-I", folder])];
  for (const source of await ownSources()) {
    const { status, output } = await runTool(theSdk(), "cc", [...xs, ...words, ...warnings, source], project);
    assert.equal(status, 0, `${source}:\n${output}`);
  }
});

test("every native of the chip is in C, and every one in C is called", { skip: withoutSdk }, async () => {
  const sources = await Promise.all((await ownSources()).map((path) => readFile(path, "utf8")));
  const called = await readFile(join(hosts, "chip.ts"), "utf8");
  const names = (text: string, pattern: RegExp): string[] =>
    [...text.matchAll(pattern)].map((match) => match[1]!).sort();
  const inC = names(sources.join("\n"), /^void (chip_\w+)\(xsMachine \*the\)$/gm);
  assert.deepEqual(inC, names(called, /native\("(chip_\w+)"\)/g));
});

test("the SDK's loop alone subscribes to the watchdog and feeds it: who subscribes twice gets an error", {
  skip: withoutSdk,
}, async () => {
  const main = await readFile(join(theSdk().folder, "build/devices/esp32/lib/main/main.c"), "utf8");
  assert.match(main, /#if CONFIG_ESP_TASK_WDT_EN\s+esp_task_wdt_add\(NULL\);/);
  const platform = join(theSdk().folder, "xs/platforms/esp");
  assert.match(await readFile(join(platform, "xsHost.h"), "utf8"), /modWatchDogReset\(\) esp_task_wdt_reset\(\)/);
  assert.match(await readFile(join(platform, "xsHost.c"), "utf8"), /\tmodWatchDogReset\(\);\n\}/);
  for (const path of await ownSources()) assert.doesNotMatch(await readFile(path, "utf8"), /esp_task_wdt/);
});

/** Closings that contact.h counts of edges, each a time in milliseconds and the level after it; looked at at the end. */
async function closingsOf(t: TestContext, edges: readonly (readonly [at_ms: number, level: 0 | 1])[], end_ms: number) {
  const folder = await temporaryFolder(t);
  const calls = edges.map(([at_ms, level]) => `contactChanges(&contact, ${level}, ${at_ms * 1000});`);
  const program = `#include <stdio.h>
#include "contact.h"
int main(void)
{
	Contact contact = {.level = 1, .settled = 1};
	${calls.join("\n\t")}
	contactSettles(&contact, ${end_ms * 1000});
	return (int)contact.closings;
}
`;
  const source = join(folder, "closings.c");
  await writeFile(source, program);
  const built = await runTool(theSdk(), "cc", ["-I", hosts, source, "-o", join(folder, "closings")], folder);
  assert.equal(built.status, 0, built.output);
  return (await runTool(theSdk(), join(folder, "closings"), [], folder)).status;
}

test("a contact counts once for each time that it stays closed, however it bounces when it closes and opens", {
  skip: withoutSdk,
}, async (t) => {
  // 30 ms closed, 30 ms open, without a bounce, twice
  const clean = [
    [100, 0],
    [130, 1],
    [160, 0],
    [190, 1],
  ] as const;
  assert.equal(await closingsOf(t, clean, 300), 2);
  // A reed contact: closes with bounces, and closes again for a moment when it opens 40 ms later.
  const reed = [
    [100, 0],
    [101, 1],
    [102, 0],
    [142, 1],
    [143, 0],
    [144, 1],
    [145, 0],
    [146, 1],
  ] as const;
  assert.equal(await closingsOf(t, reed, 300), 1);
  assert.equal(
    await closingsOf(
      t,
      [
        [100, 0],
        [105, 1],
      ],
      300,
    ),
    0,
    "a disturbance is no pulse",
  );
  assert.equal(await closingsOf(t, [[100, 0]], 110), 0, "not yet");
  assert.equal(await closingsOf(t, [[100, 0]], 120), 1, "closed, and still is");
});

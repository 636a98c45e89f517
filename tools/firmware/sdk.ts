// The Moddable SDK on this machine: where it is, what is missing of it, and its tools run to their end.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

export interface Sdk {
  /** MODDABLE */
  readonly folder: string;
  /** what the SDK's tools need around them */
  readonly environment: NodeJS.ProcessEnv;
}

const HOW_TO_GET_IT =
  "Get it from https://github.com/Moddable-OpenSource/moddable (8.2.3 is what this was made with), build its tools as its " +
  "documentation says for this platform, and set MODDABLE to its folder.";

/** What a build needs and this machine has not; `message` says what, and how to get it. */
export class Missing extends Error {}

/** The SDK that MODDABLE names. Throws `Missing` where it or its tools are not there. */
export function findSdk(): Sdk {
  const folder = process.env.MODDABLE;
  if (folder === undefined || folder === "")
    throw new Missing(`MODDABLE is not set: the Moddable SDK is needed. ${HOW_TO_GET_IT}`);
  const platform = process.platform === "darwin" ? "mac" : "lin";
  const tools = join(folder, "build/bin", platform, "release");
  if (!existsSync(join(tools, "mcconfig")))
    throw new Missing(`${tools} has no mcconfig: the tools of the SDK are not built. ${HOW_TO_GET_IT}`);
  const path = [tools, process.env.PATH ?? ""].join(delimiter);
  return { folder, environment: { ...process.env, MODDABLE: folder, PATH: path } };
}

/** The ESP-IDF that IDF_PATH names. Throws `Missing` where there is none. */
export function findIdf(): string {
  const folder = process.env.IDF_PATH;
  if (folder !== undefined && existsSync(join(folder, "tools/idf.py"))) return folder;
  throw new Missing(
    "IDF_PATH names no ESP-IDF: its toolchain compiles for the chip. Install ESP-IDF v6.0 as the SDK's documentation of ESP32 says, " +
      "run `. $IDF_PATH/export.sh` in this shell, and build again. Without it, --resolve resolves the board's manifests and partitions.",
  );
}

export interface Outcome {
  readonly status: number | null;
  /** standard output and error as they came */
  readonly output: string;
}

/** Runs a tool to its end. */
export function runTool(sdk: Sdk, tool: string, options: readonly string[], cwd: string): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(tool, options, { cwd, env: sdk.environment, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (text: string) => {
        output += text;
      });
    }
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, output }));
  });
}

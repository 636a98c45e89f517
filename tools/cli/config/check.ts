// `gridseal config check`: whether a node or a meter takes a configuration, before it has it.

import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { isComplaint, readConfiguration } from "../../../src/agent/configuration.js";
import { fromHex } from "../../../src/wire/bytes.js";
import { verifyGenesis } from "../../../src/wire/genesis.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { parsePort } from "../../meters/ports/port-configuration.js";
import { readNodeConfiguration } from "../../node/configuration.js";
import { countText, printLines, toJson } from "../../terminal/output.js";

export function registerCheck(config: Command): void {
  config
    .command("check")
    .description("check a node's or a meter's configuration without running anything")
    .argument("<file...>", "node.json, a meter's configuration.json, or a folder with one of them")
    .option("--json", "print JSON")
    .action(check);
}

interface Checked {
  readonly file: string;
  readonly of: "node" | "meter";
  readonly what: string;
}

async function check(files: readonly string[], { json }: { readonly json?: true }): Promise<void> {
  for (const given of files) {
    const checked = await checkedOne(await fileOf(given));
    printLines([json ? toJson(checked) : `${checked.file}: ${checked.what}`]);
  }
}

/** The configuration in a folder, or the file itself. */
async function fileOf(given: string): Promise<string> {
  if (!(await stat(given).catch(() => undefined))?.isDirectory()) return given;
  const node = join(given, "node.json");
  const isNode = (await stat(node).catch(() => undefined)) !== undefined;
  return isNode ? node : join(given, "configuration.json");
}

/** Throws CONFIGURATION_INVALID with file, field and reason, or FILE_UNREADABLE. */
async function checkedOne(file: string): Promise<Checked> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new GridsealError("FILE_UNREADABLE", `${file} cannot be read: ${reasonOf(cause)}`, { cause });
  }
  return isMeters(text) ? checkedMeter(file, text) : checkedNode(file);
}

/** A meter's document has fields that no node's has. */
function isMeters(text: string): boolean {
  try {
    const document: unknown = JSON.parse(text);
    return typeof document === "object" && document !== null && ("schedule" in document || "brokers" in document);
  } catch {
    return false;
  }
}

async function checkedNode(file: string): Promise<Checked> {
  const { name, peers, mqtt, api } = await readNodeConfiguration(file);
  const broker = "url" in mqtt ? "a shared broker" : `its broker at ${mqtt.listen.host}:${mqtt.listen.port}`;
  const others = countText(Object.keys(peers.addresses).length, "peer");
  return { file, of: "node", what: `node ${name}, ${others}, ${broker}, its API at ${api.host}:${api.port}` };
}

function checkedMeter(file: string, text: string): Checked {
  const refuse = (reason: string): never => {
    throw new GridsealError("CONFIGURATION_INVALID", `${file}: ${reason}`);
  };
  const configuration = readConfiguration(text);
  if (isComplaint(configuration)) return refuse(`${configuration.path} ${configuration.reason}`);
  const { network, genesis, brokers, meter, schedule } = configuration;
  try {
    const named = verifyGenesis(fromHex(genesis)!, nodeVerify).network;
    if (named !== network) refuse(`$.network is ${network}, and the genesis is that of ${named}`);
  } catch (thrown) {
    if (thrown instanceof GridsealError) throw thrown;
    refuse(`$.genesis is no genesis: ${reasonOf(thrown)}`);
  }
  if (meter.port !== undefined) {
    try {
      parsePort(meter.port);
    } catch (thrown) {
      refuse(reasonOf(thrown));
    }
  }
  const rows = schedule.length === 1 ? "1 entry" : `${schedule.length} entries`;
  return {
    file,
    of: "meter",
    what: `a meter of ${network}, ${meter.protocol}, ${rows}, ${countText(brokers.length, "broker")}`,
  };
}

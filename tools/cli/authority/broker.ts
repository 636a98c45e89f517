// `gridseal authority broker`: the folder of a mosquitto that nodes share.

import { isIPv4 } from "node:net";
import type { Command } from "commander";
import { GridsealError } from "../../errors.js";
import type { Address } from "../../node/configuration.js";
import { createBrokerFolder } from "../../provisioning/broker-folder.js";
import { several, whole } from "../../terminal/arguments.js";
import { printLines } from "../../terminal/output.js";
import { type AuthorityOptions, authorityFolder, withAuthority } from "./authority-options.js";

interface BrokerOptions extends AuthorityOptions {
  readonly host: readonly string[];
  readonly port: number;
  readonly node: readonly string[];
  readonly plugin: string;
}

/** As many as the plugin keeps. */
const NODES_MAX = 8;

export function registerBroker(authority: Command): void {
  withAuthority(
    authority
      .command("broker")
      .description("make the folder of a mosquitto that nodes share: its certificate, and who it asks who may connect"),
  )
    .argument("<dir>", "folder to make")
    .requiredOption("--host <name>", "that it is reached by (repeatable)", several)
    .requiredOption("--node <address:port>", "API of a node that it asks, IPv4 (repeatable)", several)
    .option("--port <port>", "that it listens on", whole(1, 65_535), 8883)
    .option("--plugin <file>", "the compiled plugin", "/usr/lib/gridseal/gridseal.so")
    .action(make);
}

async function make(folder: string, options: BrokerOptions): Promise<void> {
  if (options.node.length > NODES_MAX) throw new GridsealError("USAGE", `at most ${NODES_MAX} nodes are asked`);
  const { network, host: hosts, port, plugin } = options;
  const nodes = options.node.map(nodeOf);
  await createBrokerFolder(
    folder,
    { network, authority: authorityFolder(options), hosts, port, nodes, plugin },
    new Date(),
  );
  printLines([
    `${folder}: certificate for ${hosts.join(", ")} and mosquitto.conf`,
    `next: compile the plugin to ${plugin}, start mosquitto in ${folder}, and put mqtts://${hosts[0]}:${port} into each node.json`,
  ]);
}

function nodeOf(text: string): Address {
  const [host = "", port = ""] = text.split(":");
  const number = Number(port);
  if (isIPv4(host) && /^[0-9]{1,5}$/.test(port) && number >= 1 && number <= 65_535) return { host, port: number };
  throw new GridsealError("USAGE", `--node must be an IPv4 address and a port, not ${text}`);
}

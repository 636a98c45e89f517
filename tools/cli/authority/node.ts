// `gridseal authority node`: the folder of one more node, which follows until an order makes it a
// member.

import type { Command } from "commander";
import { createNodeFolder } from "../../provisioning/node-folder.js";
import { reachedHost, whole } from "../../terminal/arguments.js";
import { printLines, toJson } from "../../terminal/output.js";
import { type AuthorityOptions, withAuthority } from "./authority-options.js";

interface NodeOptions extends AuthorityOptions {
  readonly host: string;
  readonly peerPort: number;
  readonly mqttPort: number;
  readonly apiPort: number;
  readonly json?: true;
}

const port = whole(1, 65_535);

export function registerNode(authority: Command): void {
  withAuthority(
    authority
      .command("node")
      .description("make the folder of one more node: its key, its certificate, and a configuration that follows"),
  )
    .argument("<name>", "name of the node, and of its folder")
    .option("--host <address>", "where it listens and is reached", reachedHost, "127.0.0.1")
    .requiredOption("--peer-port <port>", "for other nodes", port)
    .requiredOption("--mqtt-port <port>", "for meters", port)
    .requiredOption("--api-port <port>", "for its API", port)
    .option("--json", "print JSON")
    .action(make);
}

async function make(name: string, options: NodeOptions): Promise<void> {
  const { network, authority, host, peerPort, mqttPort, apiPort } = options;
  const ports = { peers: peerPort, mqtt: mqttPort, api: apiPort };
  const { path, id } = await createNodeFolder(
    { network, name, host, ports, ...(authority !== undefined && { authority }) },
    new Date(),
  );
  printLines(
    options.json ? [toJson({ path, id })] : [`${path}: node ${id}, which follows all chains until an order admits it`],
  );
}

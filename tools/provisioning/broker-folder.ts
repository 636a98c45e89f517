// The folder of a mosquitto that nodes share: its certificate by the network's authority, and a configuration that asks the nodes who may
// connect (tools/node/admission/mosquitto-plugin.c).

import { join } from "node:path";
import { createBrokerCertificate } from "../authority/tls.js";
import { readGenesisFile } from "../files/genesis-file.js";
import { createFile, createFolder, PUBLIC } from "../files/made-once.js";
import { SECRET } from "../files/private-files.js";
import type { Address } from "../node/configuration.js";
import { PACKET_BYTES_MAX } from "../node/ingest/packet-guard.js";
import { readTlsAuthority } from "./node-folder.js";

export interface BrokerRequest {
  /** folder that `gridseal init` made, and the authority's */
  readonly network: string;
  readonly authority: string;
  /** names or addresses that meters and nodes reach it by */
  readonly hosts: readonly string[];
  readonly port: number;
  /** APIs of the nodes that it asks, IPv4 */
  readonly nodes: readonly Address[];
  /** path of the compiled plugin */
  readonly plugin: string;
}

/** Makes the folder. Throws FILE_EXISTS where it is there, or what reading the network's folder throws. */
export async function createBrokerFolder(folder: string, request: BrokerRequest, now: Date): Promise<void> {
  const { genesis } = await readGenesisFile(join(request.network, "genesis.cbor"));
  const authority = await readTlsAuthority(request.authority);
  const { cert, key } = await createBrokerCertificate(authority, request.hosts, now);
  await createFolder(folder, async (unfinished) => {
    await createFile(join(unfinished, "broker.key.pem"), key, SECRET);
    await createFile(join(unfinished, "broker.cert.pem"), cert, PUBLIC);
    await createFile(join(unfinished, "ca.cert.pem"), authority.cert, PUBLIC);
    await createFile(join(unfinished, "mosquitto.conf"), mosquittoConfiguration(genesis.network, request), PUBLIC);
  });
}

/** Paths are relative: mosquitto is started in the folder. */
export function mosquittoConfiguration(
  network: string,
  { port, nodes, plugin }: Pick<BrokerRequest, "port" | "nodes" | "plugin">,
): string {
  return [
    `# Of network ${network}; start mosquitto in this folder: mosquitto -c mosquitto.conf`,
    `listener ${port}`,
    "certfile broker.cert.pem",
    "keyfile broker.key.pem",
    "# Who connects without a session token may show its credential and be told the time, and nothing else.",
    "allow_anonymous true",
    "set_tcp_nodelay true",
    `max_packet_size ${PACKET_BYTES_MAX}`,
    `plugin ${plugin}`,
    `plugin_opt_network ${network}`,
    ...nodes.map(({ host, port: at }, index) => `plugin_opt_node_${index + 1} ${host}:${at}`),
    "",
  ].join("\n");
}

// Makes the folder of one more node of a network: its key, its TLS certificate, and a configuration
// that knows the other nodes and follows their chains. It becomes a member of a chain when the
// authority orders so.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { toHex } from "../../src/wire/bytes.js";
import { keyId } from "../../src/wire/key.js";
import { issuedChains } from "../authority/issued-orders.js";
import { createNodeCertificate, type TlsIdentity } from "../authority/tls.js";
import { GridsealError } from "../errors.js";
import { readGenesisFile } from "../files/genesis-file.js";
import { createKeyFile, readKeyFile } from "../files/key-file.js";
import { createFile, createFolder, PUBLIC, readWhole, refuseExisting } from "../files/made-once.js";
import { refuseExposed, SECRET } from "../files/private-files.js";
import { apiDefaults, batchDefaults, type NodeConfiguration, readNodeConfiguration } from "../node/configuration.js";
import { rateDefaults } from "../node/ingest/allowances.js";

const PEM_BYTES_MAX = 65_536;

export interface NodeRequest {
  /** folder that `gridseal init` made */
  readonly network: string;
  /** the authority's folder; that in the network's where absent */
  readonly authority?: string;
  /** folder of the network's `nodes` to make, and the node's name in logs */
  readonly name: string;
  readonly host: string;
  /** as the nodes of `gridseal init` have them: for peers, MQTT and the API */
  readonly ports: { readonly peers: number; readonly mqtt: number; readonly api: number };
}

export interface MadeNode {
  readonly path: string;
  readonly id: string;
}

/** Throws FILE_EXISTS where there is such a node, or what reading the network's folder throws. */
export async function createNodeFolder(request: NodeRequest, now: Date): Promise<MadeNode> {
  const { network, name, host, ports } = request;
  const folder = request.authority ?? join(network, "authority");
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name)) {
    throw new GridsealError("USAGE", `a node's name has 1 to 32 of a-z, 0-9 and -, not "${name}"`);
  }
  const path = join(network, "nodes", name);
  await refuseExisting(path);
  const { genesis, bytes: genesisBytes } = await readGenesisFile(join(network, "genesis.cbor"));
  const chains = await issuedChains(folder, genesis);
  const authority = await readTlsAuthority(folder);
  const addresses = await addressesIn(network);
  let id = "";
  await createFolder(path, async (unfinished) => {
    const { key } = await createKeyFile(join(unfinished, "key.json"));
    id = toHex(keyId(key));
    const tls = await createNodeCertificate(authority, { id, hosts: [host] }, now);
    const document: NodeConfiguration = {
      version: 1,
      name,
      genesis: "genesis.cbor",
      key: "key.json",
      tls: { key: "tls.key.pem", certificate: "tls.cert.pem", ca: "ca.cert.pem" },
      data: "data",
      peers: { listen: { host, port: ports.peers }, addresses },
      mqtt: { listen: { host, port: ports.mqtt } },
      api: { host, port: ports.api, ...apiDefaults },
      batch: batchDefaults,
      rate: rateDefaults,
      follow: chains.map(({ service }) => service),
      log: "info",
    };
    await createFile(join(unfinished, "node.json"), `${JSON.stringify(document, null, 2)}\n`, SECRET);
    await createFile(join(unfinished, "tls.key.pem"), tls.key, SECRET);
    await createFile(join(unfinished, "tls.cert.pem"), tls.cert, PUBLIC);
    await createFile(join(unfinished, "ca.cert.pem"), authority.cert, PUBLIC);
    await createFile(join(unfinished, "genesis.cbor"), genesisBytes, PUBLIC);
  });
  return { path, id };
}

/** The authority that certifies nodes for TLS, of the authority's folder. */
export async function readTlsAuthority(folder: string): Promise<TlsIdentity> {
  const read = async (name: string) => new TextDecoder().decode(await readWhole(join(folder, name), PEM_BYTES_MAX));
  await refuseExposed(join(folder, "ca.key.pem"));
  return { cert: await read("ca.cert.pem"), key: await read("ca.key.pem") };
}

/** Where the network's other nodes listen, as their own configurations say. */
async function addressesIn(network: string): Promise<NodeConfiguration["peers"]["addresses"]> {
  const addresses: Record<string, { host: string; port: number }> = {};
  for (const name of (await readdir(join(network, "nodes"))).sort()) {
    const { key, peers } = await readNodeConfiguration(join(network, "nodes", name, "node.json"));
    addresses[toHex(keyId((await readKeyFile(key)).key))] = peers.listen;
  }
  return addresses;
}

// Provisions one meter of an existing network: a folder with its key and credential, or a
// credential for a key that the device made.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { BROKERS_MAX } from "../../src/agent/configuration.js";
import { toHex } from "../../src/wire/bytes.js";
import { equalKeys, keyId, type PublicKey } from "../../src/wire/key.js";
import { type Authority, checkIssuedId, generateMeterKey, type Issued, issueCredentials } from "../authority/issue.js";
import { type IssuedList, withIssued } from "../authority/issued.js";
import { issuedChains } from "../authority/issued-orders.js";
import { GridsealError } from "../errors.js";
import { readGenesisFile } from "../files/genesis-file.js";
import { readKeyFile } from "../files/key-file.js";
import { createFile, createFolder, refuseExisting } from "../files/made-once.js";
import { readNodeConfiguration } from "../node/configuration.js";
import { fillMeterFolder } from "./meter-folder.js";

export interface ProvisionRequest {
  /** folder that `gridseal init` made */
  readonly network: string;
  readonly id: string;
  /** all that are known where absent */
  readonly services?: readonly number[];
  /**
   * of the network's chains, as a node has them; those of the genesis and of the authority's own
   * orders where absent
   */
  readonly known?: readonly number[];
  readonly days: number;
  /**
   * where the meter's folder, or for a device's own key the credential, goes; `meters/<id>` of the
   * network where absent
   */
  readonly out?: string;
  /** the key that the device made */
  readonly publicKey?: PublicKey;
  /** mqtt:// URLs for the meter; the nodes' own brokers where absent */
  readonly brokers?: readonly string[];
  /** issue although the ID or the key has a credential already */
  readonly force: boolean;
}

export interface Provisioned extends Issued {
  /** the folder or file that was made; absent where the credential is only returned */
  readonly path?: string;
}

/**
 * Issues and writes. issued.jsonl has the credential before any file has. Throws USAGE where the ID
 * was issued before or the key cannot be certified, FILE_EXISTS where the folder is there, or what
 * reading the network's folder throws.
 */
export async function provisionMeter(request: ProvisionRequest, now: Date): Promise<Provisioned> {
  checkIssuedId(request.id);
  const authority = await readAuthority(request.network);
  const services = await permittedServices(authority, request);
  const path =
    request.out ?? (request.publicKey === undefined ? join(request.network, "meters", request.id) : undefined);
  if (path !== undefined) await refuseExisting(path);
  const brokers = request.publicKey === undefined ? await brokersOf(request) : [];
  const made = request.publicKey === undefined ? generateMeterKey() : { key: request.publicKey };
  const terms = { id: request.id, services, days: request.days };
  const issued = await withIssued(join(request.network, "authority"), async (issuedList) => {
    if (!request.force) refuseRepeat(issuedList, request.id, made.key);
    const [one] = await issueCredentials(
      authority,
      issuedList,
      [{ terms, key: made.key }],
      Math.floor(now.getTime() / 1000),
    );
    return one!;
  });
  if ("seed" in made) {
    const template = { services, brokers, number: issued.row.statusIndex + 1 };
    await createFolder(path!, (folder) => fillMeterFolder(folder, made.seed, issued.credential, authority, template));
  } else if (path !== undefined) {
    await createFile(path, issued.credential);
  }
  return path === undefined ? issued : { ...issued, path };
}

async function readAuthority(network: string): Promise<Authority> {
  const { genesis, bytes } = await readGenesisFile(join(network, "genesis.cbor"));
  const keyPath = join(network, "authority/key.json");
  const signer = await readKeyFile(keyPath);
  if (!equalKeys(signer.key, genesis.authority)) {
    throw new GridsealError("KEY_INVALID", `${keyPath} is not the key of the authority of ${genesis.network}`);
  }
  return { signer, genesis, genesisBytes: bytes };
}

async function permittedServices({ genesis }: Authority, request: ProvisionRequest): Promise<readonly number[]> {
  const { network, services } = request;
  const known = request.known ?? (await issuedChains(network, genesis)).map(({ service }) => service);
  const unknown = services?.find((service) => !known.includes(service));
  if (unknown !== undefined) {
    const what = `network ${genesis.network} has no service ${unknown}: it has ${known.join(", ")}`;
    const where = "where an order added it that is not in this folder, name a node by --api or --data";
    throw new GridsealError("USAGE", request.known === undefined ? `${what}; ${where}` : what);
  }
  return services ?? known;
}

async function brokersOf({ network, brokers }: ProvisionRequest): Promise<readonly string[]> {
  if (brokers !== undefined) return brokers;
  const names = await readdir(join(network, "nodes")).catch(() => []);
  const urls: string[] = [];
  for (const name of names.sort().slice(0, BROKERS_MAX)) {
    const { mqtt } = await readNodeConfiguration(join(network, "nodes", name, "node.json"));
    urls.push("url" in mqtt ? mqtt.url : `mqtt://${mqtt.listen.host}:${mqtt.listen.port}`);
  }
  if (urls.length === 0)
    throw new GridsealError("USAGE", `${network} has no nodes: name the meter's brokers with --broker`);
  return [...new Set(urls)];
}

function refuseRepeat(issuedList: IssuedList, id: string, key: PublicKey): void {
  const meter = toHex(keyId(key));
  const row = issuedList.rows.find((earlier) => earlier.id === id || earlier.meter === meter);
  if (row === undefined) return;
  const what = row.id === id ? `ID ${id}` : `key ${meter}`;
  throw new GridsealError("USAGE", `${what} has a credential since ${row.time}: --force issues another one`);
}

// Provisions one meter of an existing network: a folder with its key and credential, or a
// credential for a key that the device made.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { BROKERS_MAX } from "../../src/agent/configuration.js";
import { isDevice, type Role } from "../../src/wire/credential.js";
import type { PublicKey } from "../../src/wire/key.js";
import { readIssuing, registerOf } from "../authority/folder.js";
import {
  type Authority,
  type CredentialTerms,
  checkIssuedId,
  generateMeterKey,
  type Issued,
  issueCredentials,
  type Kind,
} from "../authority/issue.js";
import { issuedChains } from "../authority/issued-orders.js";
import { withRegister } from "../authority/register/register.js";
import { GridsealError } from "../errors.js";
import { readGenesisFile } from "../files/genesis-file.js";
import { createFile, createFolder, refuseExisting } from "../files/made-once.js";
import { readNodeConfiguration } from "../node/configuration.js";
import { emulatedMeter } from "./meter-configuration.js";
import { fillMeterFolder } from "./meter-folder.js";

export interface ProvisionRequest {
  /** folder that `gridseal init` made */
  readonly network: string;
  /** the authority's folder; that in the network's where absent */
  readonly authority?: string;
  readonly id: string;
  /** a meter where absent */
  readonly roles?: readonly Role[];
  readonly stated?: Pick<CredentialTerms, "jurisdiction" | "deliveryKey">;
  /** the lot that the device was made in */
  readonly lot?: string;
  /** all that are known where absent; none of a participant */
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
  /** readings of a made-up household, for trying; no port where absent */
  readonly isEmulated?: boolean;
  /** mqtt:// URLs for the meter; the nodes' own brokers where absent */
  readonly brokers?: readonly string[];
  /** issue although the ID or the key has a credential already */
  readonly force: boolean;
  /** number of the order that ends the key before, in whose place this one is */
  readonly replacedBy?: number;
}

export interface Provisioned extends Issued {
  /** the folder or file that was made; absent where the credential is only returned */
  readonly path?: string;
}

/**
 * Issues and writes. The register has the credential before any file has. Throws REGISTER_REFUSED where the ID was issued before,
 * USAGE where the key cannot be certified, FILE_EXISTS where the folder is there, or what reading the network's folder throws.
 */
export async function provisionMeter(request: ProvisionRequest, now: Date): Promise<Provisioned> {
  checkIssuedId(request.id);
  const folder = request.authority ?? join(request.network, "authority");
  const now_s = Math.floor(now.getTime() / 1_000);
  const roles = request.roles ?? ["meter"];
  if (!isDevice({ roles }) && request.publicKey === undefined) {
    throw new GridsealError("USAGE", `${request.id} is a participant, who makes the key: name its public half`);
  }
  const { genesis, bytes: genesisBytes } = await readGenesisFile(join(request.network, "genesis.cbor"));
  const authority: Authority = { issuing: await readIssuing(genesis, folder, now_s), genesis, genesisBytes };
  const services = await permittedServices(authority, folder, request);
  const path =
    request.out ?? (request.publicKey === undefined ? join(request.network, "meters", request.id) : undefined);
  if (path !== undefined) await refuseExisting(path);
  const brokers = request.publicKey === undefined ? await brokersOf(request) : [];
  const made = request.publicKey === undefined ? generateMeterKey() : { key: request.publicKey };
  const origin = {
    key: "seed" in made ? "injected" : "device",
    ...(request.lot !== undefined && { lot: request.lot }),
  } as const;
  const terms: CredentialTerms = {
    ...{ id: request.id, services, roles, days: request.days, ...request.stated },
    ...(isDevice({ roles }) && { origin }),
  };
  const [one] = await withRegister(registerOf(folder), (register) =>
    issueCredentials(authority, register, [{ terms, key: made.key }], now_s, kindOf(request)),
  );
  const issued = one!;
  if ("seed" in made) {
    const number = issued.row.statusIndex + 1;
    const template = { services, brokers, number, ...(request.isEmulated && { meter: emulatedMeter(number) }) };
    await createFolder(path!, (unfinished) =>
      fillMeterFolder(unfinished, made.seed, issued.credential, authority, template),
    );
  } else if (path !== undefined) {
    await createFile(path, issued.credential);
  }
  return path === undefined ? issued : { ...issued, path };
}

function kindOf({ force, replacedBy }: ProvisionRequest): Kind {
  if (replacedBy !== undefined) return { replacedBy };
  return force ? "forced" : "first";
}

async function permittedServices(
  { genesis }: Authority,
  folder: string,
  request: ProvisionRequest,
): Promise<readonly number[]> {
  const { services, roles } = request;
  const known = request.known ?? (await issuedChains(folder, genesis)).map(({ service }) => service);
  const unknown = services?.find((service) => !known.includes(service));
  if (unknown !== undefined) {
    const what = `network ${genesis.network} has no service ${unknown}: it has ${known.join(", ")}`;
    const where = "where an order added it that is not in this folder, name a node by --api or --data";
    throw new GridsealError("NOT_FOUND", request.known === undefined ? `${what}; ${where}` : what);
  }
  return services ?? (roles === undefined || isDevice({ roles }) ? known : []);
}

export async function brokersOf({
  network,
  brokers,
}: Pick<ProvisionRequest, "network" | "brokers">): Promise<readonly string[]> {
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

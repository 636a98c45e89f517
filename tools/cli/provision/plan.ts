// What every meter of a run of `gridseal provision` is to hold, as the options and the network say.

import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import type { MeterConfiguration } from "../../../src/agent/meter-configuration.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import { issuedChains } from "../../authority/issued-orders.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { readWhole } from "../../files/made-once.js";
import { refuseExposed } from "../../files/private-files.js";
import type { Listed } from "../../provisioning/console/bench.js";
import { LIST_BYTES_MAX, readList } from "../../provisioning/console/list.js";
import type { Plan } from "../../provisioning/console/step.js";
import { meterConfiguration } from "../../provisioning/meter-configuration.js";
import { brokersOf } from "../../provisioning/provision.js";
import { authorityFolder } from "../authority/authority-options.js";
import { servicesNamed } from "../services.js";

export interface ProvisionOptions {
  readonly network?: string;
  readonly authority?: string;
  readonly genesis?: string;
  readonly answers?: string;
  readonly key?: string;
  readonly mode: "console" | "inject";
  readonly port?: readonly string[];
  readonly id?: string;
  readonly list?: string;
  readonly bench: string;
  readonly broker?: readonly string[];
  readonly services?: readonly string[];
  readonly ca?: string;
  readonly wifi?: string;
  readonly sntp?: string;
  readonly meter?: string;
  readonly lot?: string;
  readonly days: number;
  readonly until: "sealed" | "stored";
  readonly patience: number;
  readonly atOnce: number;
  readonly takeOver?: true;
  readonly out?: string;
  readonly nvsOffset: number;
  readonly nvsBytes: number;
  readonly reset: boolean;
  readonly dryRun?: true;
  readonly json?: true;
}

const FILE_BYTES_MAX = 65_536;
/** A line of a meter's console. */
const LINE_BYTES_MAX = 8_192;
/** A board finds out by itself what stands at its port. */
const METER: MeterConfiguration = { protocol: "auto", port: { kind: "serial" } };

export async function listFrom({ id, list }: ProvisionOptions): Promise<readonly Listed[]> {
  if ((id === undefined) === (list === undefined)) throw new GridsealError("USAGE", "name --id or --list");
  if (id !== undefined) return [{ id, place: 1 }];
  return readList(new TextDecoder().decode(await readWhole(list!, LIST_BYTES_MAX)), list!);
}

export async function planFrom(options: ProvisionOptions): Promise<Plan> {
  const { network, lot, sntp } = options;
  if ((network === undefined) === (options.genesis === undefined))
    throw new GridsealError("USAGE", "name --network where the register is, or --genesis where it is elsewhere");
  const { genesis, bytes } = await readGenesisFile(options.genesis ?? join(network!, "genesis.cbor"));
  if (network === undefined && options.broker === undefined)
    throw new GridsealError("USAGE", "name the meters' brokers with --broker");
  const brokers = await brokersOf({ network: network ?? "", ...(options.broker && { brokers: options.broker }) });
  const services = await servicesOf(options, genesis);
  const ca = await certificateOf(options);
  const meter = options.meter === undefined ? METER : (jsonOf(options.meter) as MeterConfiguration);
  const configurationOf = (id: string, place: number) =>
    JSON.stringify(meterConfiguration(genesis, bytes, id, { services, brokers, number: place, meter }));
  const { length } = new TextEncoder().encode(configurationOf("0".repeat(16), Number.MAX_SAFE_INTEGER));
  if (length + "configuration ".length > LINE_BYTES_MAX)
    throw new GridsealError("USAGE", `a configuration of ${length} bytes is no line of a meter's console`);
  return {
    ...{ genesisHash: genesis.hash, brokers, services, configurationOf, verify: nodeVerify },
    ...(genesis.isTest && { testNetwork: genesis.network }),
    ...(ca !== undefined && { ca }),
    ...(options.wifi !== undefined && { wifi: await wifiOf(options.wifi) }),
    ...(sntp !== undefined && { sntp }),
    ...(lot !== undefined && { lot }),
    ...{ until: options.until, isDry: options.dryRun ?? false, takesOver: options.takeOver ?? false },
    firstRecord_ms: options.patience * 1_000,
  };
}

async function servicesOf(options: ProvisionOptions, genesis: Genesis): Promise<readonly number[]> {
  const { network } = options;
  const file = options.genesis ?? join(network ?? "", "genesis.cbor");
  const services = options.services && (await servicesNamed(options.services, file));
  const chains =
    network === undefined ? genesis.chains : await issuedChains(authorityFolder({ ...options, network }), genesis);
  const known = chains.map(({ service }) => service);
  const unknown = services?.find((service) => !known.includes(service));
  if (unknown !== undefined)
    throw new GridsealError("NOT_FOUND", `network ${genesis.network} has no service ${unknown}`);
  return services ?? [...new Set(known)].sort((left, right) => left - right);
}

/** DER of the certificate of the network's authority. */
async function certificateOf({ network, authority, ca }: ProvisionOptions): Promise<Uint8Array | undefined> {
  const path =
    ca ??
    (network === undefined
      ? undefined
      : join(authorityFolder({ network, ...(authority !== undefined && { authority }) }), "ca.cert.pem"));
  if (path === undefined) return undefined;
  try {
    return Uint8Array.from(new X509Certificate(await readWhole(path, FILE_BYTES_MAX)).raw);
  } catch (cause) {
    throw new GridsealError("FILE_INVALID", `${path} is no certificate: ${reasonOf(cause)}`, { cause });
  }
}

async function wifiOf(path: string): Promise<NonNullable<Plan["wifi"]>> {
  await refuseExposed(path);
  const [ssid = "", password = ""] = new TextDecoder().decode(await readWhole(path, FILE_BYTES_MAX)).split(/\r?\n/);
  if (ssid === "" || /"/.test(ssid + password))
    throw new GridsealError("FILE_INVALID", `${path} names no Wi-Fi, or has quotes in it`);
  return { ssid, ...(password !== "" && { password }) };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new GridsealError("USAGE", "--meter is no JSON");
  }
}

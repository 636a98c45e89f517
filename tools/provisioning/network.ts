// Makes a whole network in a folder: the authority's keys, the genesis, a folder for every node and
// every meter. The folder takes its name when everything is in it, so that a network is there whole
// or not at all.

import { isIPv6 } from "node:net";
import { join } from "node:path";
import { BROKERS_MAX } from "../../src/agent/configuration.js";
import { toHex } from "../../src/wire/bytes.js";
import { type GenesisChain, issueGenesis, type Member, type Ordering, verifyGenesis } from "../../src/wire/genesis.js";
import { keyId, type Signer } from "../../src/wire/key.js";
import { defaultVerifiers } from "../../src/wire/quorum.js";
import { createAuthority, readIssuing, refuseMixture, registerOf } from "../authority/folder.js";
import {
  type Authority,
  type CredentialTerms,
  DAYS_DEFAULT,
  generateMeterKey,
  issueCredentials,
} from "../authority/issue.js";
import { withRegister } from "../authority/register/register.js";
import type { OwnKey } from "../authority/sealed-key.js";
import { createNodeCertificate, type TlsIdentity } from "../authority/tls.js";
import { nodeVerify } from "../crypto/signatures.js";
import { GridsealError, reasonOf } from "../errors.js";
import { createKeyFile } from "../files/key-file.js";
import { createFile, createFolder, PUBLIC } from "../files/made-once.js";
import { closeFolder, SECRET } from "../files/private-files.js";
import { apiDefaults, batchDefaults, type NodeConfiguration } from "../node/configuration.js";
import { rateDefaults } from "../node/ingest/allowances.js";
import { type FirstContract, type FoundingOrder, firstContracts, orderFirstContracts } from "./contracts/founding.js";
import { emulatedMeter } from "./meter-configuration.js";
import { fillMeterFolder } from "./meter-folder.js";
import { readTlsAuthority } from "./node-folder.js";

export interface ChainPlan {
  readonly service: number;
  readonly name: string;
  /** numbers of the member nodes from 1, in the order in which they propose */
  readonly nodes: readonly number[];
}

export interface NetworkPlan {
  readonly network: string;
  readonly nodes: number;
  readonly chains: readonly ChainPlan[];
  readonly meters: number;
  /** where the nodes listen and are reached */
  readonly host: string;
  /** node i has base + i for its peers, base + 100 + i for MQTT, base + 200 + i for its API */
  readonly basePort: number;
  /** difficulty of every chain, compact; 0 where any nonce will do */
  readonly target: number;
  /** where orders need several signatures: how many, and the keys beside the authority's own */
  readonly ordering?: Ordering;
  /** where nodes stand, by their number: an ISO 3166 code each */
  readonly locations?: ReadonlyMap<number, string>;
  /** whether it begins with the contracts that every network has, where it has a contracts chain */
  readonly hasContracts?: boolean;
  /** other ones than those */
  readonly contracts?: readonly FirstContract[];
  /** a test network, which its genesis says; one without a founder is one in any case */
  readonly isTest?: boolean;
  /** members of a chain that verify a temporary block, all where there are fewer; absent: one correct one at least, and two */
  readonly verifiers?: number | undefined;
}

export interface CreatedNetwork {
  readonly nodes: readonly { readonly name: string; readonly id: string }[];
  readonly meters: readonly { readonly name: string; readonly id: string }[];
  /** hash of the genesis in hex */
  readonly genesis: string;
  /** contracts that are ordered, and how many signatures their orders still wait for */
  readonly contracts: readonly { readonly name: string; readonly service: number; readonly order: number }[];
  readonly signaturesMissing: number;
}

/** Ports of one kind stand in a hundred. */
export const INITIAL_NODES_MAX = 99;
export const INITIAL_METERS_MAX = 10_000;

interface PlannedNode {
  readonly number: number;
  readonly name: string;
  readonly id: string;
  readonly member: Member;
  readonly signer: Signer;
}

/** The authority whose network it is: its own key, opened, and its folder. */
export interface Founder {
  readonly folder: string;
  readonly own: OwnKey;
}

/**
 * Makes the network, of a founder's authority, or a test network with one of its own. Throws USAGE where the plan is none,
 * TEST_AND_REAL and NETWORK_DIFFERS where the founder is for another network, FILE_EXISTS where the folder is taken, FILE_UNWRITABLE.
 */
export async function createNetwork(
  folder: string,
  plan: NetworkPlan,
  now: Date,
  founder?: Founder,
): Promise<CreatedNetwork> {
  const { network, isTest = founder === undefined } = plan;
  if (founder !== undefined) refuseMixture(founder.folder, founder.own.isTest, { network, isTest });
  let created: CreatedNetwork | undefined;
  await createFolder(folder, async (unfinished) => {
    created = await fillNetwork(unfinished, plan, now, founder ?? (await foundIn(unfinished, plan, now)));
  });
  return created!;
}

async function foundIn(folder: string, plan: NetworkPlan, now: Date): Promise<Founder> {
  const authority = join(folder, "authority");
  return {
    folder: authority,
    own: await createAuthority(authority, { network: plan.network, isTest: true }, undefined, now),
  };
}

async function fillNetwork(folder: string, plan: NetworkPlan, now: Date, founder: Founder): Promise<CreatedNetwork> {
  const nodes = await createNodeKeys(folder, plan);
  const { signer: own } = founder.own;
  const { genesis, genesisBytes } = issueNetworkGenesis(plan, nodes, founder.own, now);
  await createFile(join(folder, "genesis.cbor"), genesisBytes);
  const issuing = await readIssuing(genesis, founder.folder, Math.floor(now.getTime() / 1_000));
  const authority = { issuing, genesis, genesisBytes };
  const ca = await readTlsAuthority(founder.folder);
  const signers = nodes.map(({ signer }) => signer);
  const { contracts = firstContracts } = plan;
  const orders = plan.hasContracts
    ? await orderFirstContracts({ genesis, folder: founder.folder, own, signers, contracts }, now)
    : [];
  const signaturesMissing = (genesis.ordering?.signatures ?? 1) - 1;
  const brought = signaturesMissing === 0 ? orders : [];
  for (const node of nodes) {
    await fillNodeFolder(join(folder, "nodes", node.name), node, nodes, plan, authority, ca, now);
    await bringOrders(join(folder, "nodes", node.name, "orders"), brought);
  }
  const meters = await createMeters(folder, registerOf(founder.folder), plan, authority, now);
  return {
    nodes: nodes.map(({ name, id }) => ({ name, id })),
    meters,
    genesis: toHex(authority.genesis.hash),
    contracts: orders.map(({ name, service, number }) => ({ name, service, order: number })),
    signaturesMissing,
  };
}

/** Orders that a node brings to the contracts chain when it starts. */
async function bringOrders(folder: string, orders: readonly FoundingOrder[]): Promise<void> {
  if (orders.length > 0) await closeFolder(folder);
  for (const { number, bytes } of orders) await createFile(join(folder, `${number}.cose`), bytes, SECRET);
}

async function createNodeKeys(
  folder: string,
  { nodes: count, locations }: NetworkPlan,
): Promise<readonly PlannedNode[]> {
  const nodes: PlannedNode[] = [];
  for (let number = 1; number <= count; number += 1) {
    const name = `node-${number}`;
    await closeFolder(join(folder, "nodes", name));
    const signer = await createKeyFile(join(folder, "nodes", name, "key.json"));
    const { key } = signer;
    const id = keyId(key);
    const location = locations?.get(number);
    const member = { id, key, name, ...(location !== undefined && { location }) };
    nodes.push({ number, name, id: toHex(id), member, signer });
  }
  return nodes;
}

function issueNetworkGenesis(
  plan: NetworkPlan,
  nodes: readonly PlannedNode[],
  { signer, isTest }: OwnKey,
  now: Date,
): Omit<Authority, "issuing"> {
  const chains: GenesisChain[] = plan.chains.map(({ service, name, nodes: numbers }) => ({
    service,
    name,
    members: numbers.map((number) => memberNumbered(nodes, number, name)),
    target: plan.target,
    verifiers: Math.min(plan.verifiers ?? defaultVerifiers(numbers.length), numbers.length),
  }));
  const { ordering } = plan;
  try {
    const genesisBytes = issueGenesis(
      {
        network: plan.network,
        time_s: Math.floor(now.getTime() / 1000),
        nodes: nodes.map(({ member }) => member),
        chains,
        ...(ordering !== undefined && { ordering: { ...ordering, keys: [signer.key, ...ordering.keys] } }),
        ...(isTest && { isTest }),
      },
      signer,
    );
    return { genesis: verifyGenesis(genesisBytes, nodeVerify), genesisBytes };
  } catch (cause) {
    throw new GridsealError("USAGE", `no genesis can say this: ${reasonOf(cause)}`, { cause });
  }
}

function memberNumbered(nodes: readonly PlannedNode[], number: number, chain: string): Member {
  const node = nodes[number - 1];
  if (node === undefined) {
    throw new GridsealError("USAGE", `chain ${chain} names node-${number}, and there are ${nodes.length} nodes`);
  }
  return node.member;
}

async function fillNodeFolder(
  folder: string,
  node: PlannedNode,
  nodes: readonly PlannedNode[],
  plan: NetworkPlan,
  authority: Authority,
  ca: TlsIdentity,
  now: Date,
): Promise<void> {
  const { host, basePort } = plan;
  const certificate = await createNodeCertificate(ca, { id: node.id, hosts: [host] }, now);
  const others = nodes.filter(({ id }) => id !== node.id);
  const document: NodeConfiguration = {
    version: 1,
    name: node.name,
    genesis: "genesis.cbor",
    key: "key.json",
    tls: { key: "tls.key.pem", certificate: "tls.cert.pem", ca: "ca.cert.pem" },
    data: "data",
    orders: "orders",
    peers: {
      listen: { host, port: basePort + node.number },
      addresses: Object.fromEntries(others.map(({ id, number }) => [id, { host, port: basePort + number }])),
    },
    mqtt: { listen: { host, port: mqttPort(plan, node.number) } },
    api: { host, port: basePort + 200 + node.number, ...apiDefaults },
    batch: batchDefaults,
    rate: rateDefaults,
    follow: [],
    log: "info",
  };
  const files: readonly (readonly [string, string | Uint8Array, number])[] = [
    ["node.json", `${JSON.stringify(document, null, 2)}\n`, SECRET],
    ["tls.key.pem", certificate.key, SECRET],
    ["tls.cert.pem", certificate.cert, PUBLIC],
    ["ca.cert.pem", ca.cert, PUBLIC],
    ["genesis.cbor", authority.genesisBytes, PUBLIC],
  ];
  for (const [name, content, mode] of files) await createFile(join(folder, name), content, mode);
}

async function createMeters(
  folder: string,
  registerPath: string,
  plan: NetworkPlan,
  authority: Authority,
  now: Date,
): Promise<CreatedNetwork["meters"]> {
  const services = plan.chains.map(({ service }) => service);
  const made = Array.from({ length: plan.meters }, (_, index) => {
    const { seed, key } = generateMeterKey();
    const terms: CredentialTerms = {
      ...{ id: `meter-${index + 1}`, services, days: DAYS_DEFAULT },
      ...{ roles: ["meter"], origin: { key: "injected" } },
    };
    return { number: index + 1, seed, key, terms };
  });
  const issued = await withRegister(registerPath, (register) =>
    issueCredentials(authority, register, made, Math.floor(now.getTime() / 1000)),
  );
  for (const [index, { number, seed, terms }] of made.entries()) {
    const template = { services, brokers: brokersFor(plan, number), number, meter: emulatedMeter(number) };
    const meter = join(folder, "meters", terms.id);
    await closeFolder(meter);
    await fillMeterFolder(meter, seed, issued[index]!.credential, authority, template);
  }
  return issued.map(({ row }) => ({ name: row.subject, id: row.meter }));
}

/** The nodes' brokers, another one first for each meter. */
export function brokersFor(plan: Pick<NetworkPlan, "nodes" | "host" | "basePort">, meter: number): readonly string[] {
  const host = isIPv6(plan.host) ? `[${plan.host}]` : plan.host;
  const brokers = Array.from({ length: plan.nodes }, (_, index) => {
    const node = ((meter - 1 + index) % plan.nodes) + 1;
    return `mqtt://${host}:${mqttPort(plan, node)}`;
  });
  return brokers.slice(0, BROKERS_MAX);
}

function mqttPort(plan: Pick<NetworkPlan, "basePort">, node: number): number {
  return plan.basePort + 100 + node;
}

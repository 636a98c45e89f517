// `gridseal init`: makes a network's folder with its authority, genesis, nodes and meters.

import { join } from "node:path";
import type { Command } from "commander";
import { ORDER_KEYS_MAX, SERVICE_MAX } from "../../src/wire/bounds.js";
import type { PublicKey } from "../../src/wire/key.js";
import { paperServices } from "../../src/wire/services.js";
import { isNetworkName } from "../../src/wire/topics.js";
import { readOwnKey } from "../authority/folder.js";
import { GridsealError } from "../errors.js";
import {
  type ChainPlan,
  type CreatedNetwork,
  createNetwork,
  INITIAL_METERS_MAX,
  INITIAL_NODES_MAX,
  type NetworkPlan,
} from "../provisioning/network.js";
import { compactTarget, networkName, reachedHost, several, whole } from "../terminal/arguments.js";
import { networkText, pairs, printLines, toJson } from "../terminal/output.js";
import { type PassphraseOptions, readPassphrase } from "../terminal/passphrase.js";
import { publicKey } from "./lot/read-lot.js";

interface InitOptions extends PassphraseOptions {
  readonly authority?: string;
  readonly network: string;
  readonly nodes: number;
  readonly services?: string;
  readonly meters: number;
  readonly host: string;
  readonly basePort: number;
  readonly chain?: readonly string[];
  readonly target: number;
  readonly orderKey?: readonly PublicKey[];
  readonly orderSignatures?: number;
  readonly location?: readonly string[];
  readonly verifiers?: number;
  readonly contracts: boolean;
  readonly test?: true;
  readonly json?: true;
}

/** The highest port that a network uses is its base plus this. */
const PORTS_ABOVE_BASE = 299;

export function registerInit(program: Command): void {
  program
    .command("init")
    .description("make the folder of a new network: authority, genesis, nodes, meters")
    .argument("<dir>", "folder to make")
    .option("--network <name>", "name of the network", networkName, "gridseal")
    .option("--authority <dir>", "of `gridseal authority init`; where absent, one for trying is made, its key open")
    .option("--test", "a test network, whose genesis says so; implied where --authority is absent")
    .option("--passphrase-fd <number>", "file descriptor to read that authority's passphrase from", whole(0, 1_023))
    .option("--nodes <count>", "nodes", whole(1, INITIAL_NODES_MAX), 4)
    .option("--services <name=number,...>", "services beside the five of the paper")
    .option("--meters <count>", "meters", whole(0, INITIAL_METERS_MAX), 6)
    .option("--host <address>", "where the nodes listen and are reached", reachedHost, "127.0.0.1")
    .option("--base-port <port>", "first port less one", whole(1, 65_535 - PORTS_ABOVE_BASE), 9100)
    .option(
      "--chain <service=node-1,...>",
      "members of a chain in the order in which they propose (repeatable)",
      several,
    )
    .option("--target <hex>", "difficulty of the chains, compact; 00000000 for none", compactTarget, 0)
    .option("--order-key <hex>", "another key of the authority that signs orders (repeatable)", publicKeys)
    .option("--order-signatures <count>", "of how many keys orders need signatures", whole(1, ORDER_KEYS_MAX))
    .option("--location <[node-1=]code>", "where all nodes or one stand, ISO 3166 (repeatable)", several)
    .option("--verifiers <count>", "members of a chain that verify a temporary block", whole(1, INITIAL_NODES_MAX))
    .option("--no-contracts", "begin without the contracts that every network has")
    .option("--json", "print JSON")
    .action(init);
}

async function init(folder: string, options: InitOptions): Promise<void> {
  const plan = {
    network: options.network,
    nodes: options.nodes,
    chains: planChains(options),
    meters: options.meters,
    host: options.host,
    basePort: options.basePort,
    target: options.target,
    ...orderingIn(options),
    locations: locationsIn(options),
    verifiers: options.verifiers,
    hasContracts: options.contracts,
    isTest: options.test ?? options.authority === undefined,
  };
  const { authority } = options;
  const founder =
    authority === undefined
      ? undefined
      : { folder: authority, own: await readOwnKey(authority, () => readPassphrase(options)) };
  const created = await createNetwork(folder, plan, new Date(), founder);
  if (options.json) {
    const chains = plan.chains.map(({ service, name, nodes }) => ({
      service,
      name,
      nodes: nodes.map((n) => `node-${n}`),
    }));
    printLines([toJson({ folder, network: plan.network, isTest: plan.isTest, ...created, chains })]);
    return;
  }
  printLines([
    ...pairs([
      ["network", `${networkText(plan)} in ${folder}`],
      ["genesis", created.genesis],
      ["nodes", created.nodes.map(({ name }) => name).join(" ")],
      ["chains", plan.chains.map(({ service, name }) => `${name} (${service})`).join(" ")],
      ["contracts", contractsText(created)],
      ["meters", created.meters.map(({ name, id }) => `${name} ${id}`).join(", ") || "none"],
    ]),
    ...nextSteps(folder, created),
  ]);
}

/** What is typed next: each node, then the first meter, emulated or real. */
function nextSteps(folder: string, { nodes, meters }: CreatedNetwork): string[] {
  const [node] = nodes;
  const [meter] = meters;
  const others = nodes.length === 1 ? "" : `    and the other ${nodes.length - 1}, each where it is to stand`;
  return [
    `next: gridseal node run ${join(folder, "nodes", node!.name)}${others}`,
    ...(meter === undefined
      ? []
      : [`next: gridseal meter run ${join(folder, "meters", meter.name)}    an emulated household`]),
    `next: gridseal provision --network ${folder} --id house-1    a real meter, at its console`,
  ];
}

function contractsText({ contracts, signaturesMissing }: CreatedNetwork): string {
  const names = contracts.map(({ name, service }) => `${name} (${service})`).join(" ");
  if (signaturesMissing === 0 || names === "") return names || "none";
  return `${names}: their orders in the authority's orders/ wait for ${signaturesMissing} more signatures (gridseal order sign)`;
}

function publicKeys(text: string, earlier: readonly PublicKey[] = []): readonly PublicKey[] {
  return [...earlier, publicKey(text)];
}

function orderingIn({ orderKey, orderSignatures }: InitOptions): Pick<NetworkPlan, "ordering"> {
  if (orderKey === undefined && orderSignatures === undefined) return {};
  const keys = orderKey ?? [];
  // The authority's own key is one of them.
  if (orderSignatures === undefined || orderSignatures > keys.length + 1) {
    throw new GridsealError("USAGE", `--order-signatures must be 1 to ${keys.length + 1}, the number of keys`);
  }
  return { ordering: { signatures: orderSignatures, keys } };
}

function locationsIn({ location = [], nodes }: InitOptions): ReadonlyMap<number, string> {
  const locations = new Map<number, string>();
  for (const text of location) {
    const [first, second] = splitOnce(text);
    const code = second === "" ? first : second;
    const numbers =
      second === "" ? Array.from({ length: nodes }, (_, place) => place + 1) : [nodeNumber(first, text, nodes)];
    for (const number of numbers) locations.set(number, code);
  }
  return locations;
}

/** The chains that the options ask for, each of all nodes unless it is named. Throws USAGE. */
export function planChains(options: Pick<InitOptions, "nodes" | "services" | "chain">): readonly ChainPlan[] {
  const services = new Map([...paperServices, ...addedServices(options.services)]);
  const all = Array.from({ length: options.nodes }, (_, index) => index + 1);
  const members = new Map<number, readonly number[]>();
  for (const text of options.chain ?? []) {
    const [name = "", list = ""] = splitOnce(text);
    const service = [...services].find(([number, known]) => known === name || String(number) === name)?.[0];
    if (service === undefined) throw new GridsealError("USAGE", `--chain ${text} names the unknown service ${name}`);
    if (members.has(service)) throw new GridsealError("USAGE", `--chain names ${name} twice`);
    members.set(
      service,
      list.split(",").map((node) => nodeNumber(node, text, options.nodes)),
    );
  }
  return [...services].map(([service, name]) => ({ service, name, nodes: members.get(service) ?? all }));
}

function addedServices(text: string | undefined): readonly (readonly [number, string])[] {
  const added = (text === undefined ? [] : text.split(",")).map((item) => {
    const [name = "", number = ""] = splitOnce(item);
    if (!/^[0-9]{1,5}$/.test(number) || Number(number) < 1 || Number(number) > SERVICE_MAX) {
      throw new GridsealError("USAGE", `--services ${item} must be name=number, the number from 1 to ${SERVICE_MAX}`);
    }
    return [Number(number), serviceName(name)] as const;
  });
  const taken = [...paperServices, ...added];
  for (const of of [0, 1] as const) {
    const values = taken.map((service) => service[of]);
    const twice = values.find((value, index) => values.indexOf(value) !== index);
    if (twice !== undefined) throw new GridsealError("USAGE", `--services names ${twice} twice, or the paper has it`);
  }
  return added;
}

function nodeNumber(name: string, text: string, nodes: number): number {
  const number = Number(/^node-([1-9][0-9]?)$/.exec(name)?.[1] ?? 0);
  if (number >= 1 && number <= nodes) return number;
  throw new GridsealError("USAGE", `${text}: ${name || "nothing"} is none of node-1 to node-${nodes}`);
}

function serviceName(name: string): string {
  if (isNetworkName(name)) return name;
  throw new GridsealError(
    "USAGE",
    `service name ${JSON.stringify(name)} must be 1 to 32 of a-z, 0-9 and -, a letter first`,
  );
}

function splitOnce(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

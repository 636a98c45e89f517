// The genesis: what everybody of a network agrees on before its first block. A COSE_Sign1 signed by the authority whose key it
// holds; its SHA-256 names the network in everything that nodes sign.

import { CHAINS_MAX, CODE_MAX, NODES_MAX, ORDER_KEYS_MAX, TIME_S_MAX, WORD_MAX } from "./bounds.js";
import { equalBytes } from "./bytes.js";
import { type CborValue, decodeCbor, encodeCbor } from "./cbor.js";
import { parseSign1, sign1, verifySign1 } from "./cose.js";
import { WireError } from "./error.js";
import { sha256 } from "./hash.js";
import { isTarget } from "./header.js";
import { keyFromMap, keyId, keyToMap, type PublicKey, type Signer, type Verify } from "./key.js";
import { asArray, asBytes, asList, asMap, asPlace, asService, asText, asUint } from "./shape.js";
import { isNetworkName } from "./topics.js";

export const GENESIS_BYTES_MAX = 65_536;

/** A node and the key it signs with; its id is the key's kid. */
export interface MemberKey {
  readonly id: Uint8Array;
  readonly key: PublicKey;
}

export interface Member extends MemberKey {
  readonly name: string;
  /** ISO 3166 code of where it stands, as the authority knows it */
  readonly location?: string;
}

/** Who signs orders where one key is not enough: so many of these. */
export interface Ordering {
  readonly signatures: number;
  readonly keys: readonly PublicKey[];
}

export interface GenesisChain {
  /** the service that the chain is for; also the chain's number */
  readonly service: number;
  readonly name: string;
  /** in the order in which they propose */
  readonly members: readonly Member[];
  /** difficulty in Bitcoin's compact form; 0 where any nonce will do */
  readonly target: number;
  /** how many members are to verify a temporary block: from 1 to all */
  readonly verifiers: number;
}

export interface Genesis {
  readonly network: string;
  /** UTC seconds */
  readonly time_s: number;
  readonly authority: PublicKey;
  /** absent where the authority's key signs orders alone */
  readonly ordering?: Ordering;
  readonly nodes: readonly Member[];
  readonly chains: readonly GenesisChain[];
  /** of a test network; absent of any other */
  readonly isTest?: true;
  /** SHA-256 of the genesis as encoded */
  readonly hash: Uint8Array;
}

/** Signs a genesis; `hash` comes from the result. Throws a WireError where it could not be read again. */
export function issueGenesis(genesis: Omit<Genesis, "hash" | "authority">, authority: Signer): Uint8Array {
  const payload = new Map<number, CborValue>([
    [1, 1],
    [2, genesis.network],
    [3, genesis.time_s],
    [4, keyToMap(authority.key)],
    [5, genesis.nodes.map(memberToArray)],
    [
      6,
      genesis.chains.map((chain) => [
        chain.service,
        chain.name,
        chain.members.map((member) => genesis.nodes.findIndex((node) => equalBytes(node.id, member.id))),
        chain.target,
        chain.verifiers,
      ]),
    ],
  ]);
  const { ordering } = genesis;
  if (ordering !== undefined) payload.set(7, [ordering.signatures, ordering.keys.map(keyToMap)]);
  if (genesis.isTest) payload.set(8, true);
  const bytes = sign1(encodeCbor(payload), authority);
  readGenesis(bytes);
  return bytes;
}

/** Reads a genesis and checks that the authority it names has signed it. Whether that is the right authority is the reader's to know. */
export function verifyGenesis(bytes: Uint8Array, verify: Verify): Genesis {
  const genesis = readGenesis(bytes);
  if (!verifySign1(parseSign1(bytes, GENESIS_BYTES_MAX), genesis.authority, verify)) {
    throw new WireError("unproven", "genesis is not signed by its authority");
  }
  return genesis;
}

/** Chain of a service; undefined where the genesis has none. */
export function chainOf(genesis: Genesis, service: number): GenesisChain | undefined {
  return genesis.chains.find((chain) => chain.service === service);
}

/** [+ [id, COSE_Key]], the members in their order. */
export function memberSetToArray(members: readonly MemberKey[]): CborValue {
  return members.map((member) => [member.id, keyToMap(member.key)]);
}

/** Reads [+ [id, COSE_Key]]; throws a WireError where an id is not its key's or stands twice. */
export function memberSetFromArray(value: CborValue | undefined): MemberKey[] {
  const members = asArray(value, "member set").map((item) => {
    const [id, key] = asArray(item, "member", 2);
    const member = { id: asBytes(id, "member id", 8), key: keyFromMap(key) };
    if (!equalBytes(member.id, keyId(member.key))) throw new WireError("shape", "member's id is not its key's");
    return member;
  });
  if (members.length === 0 || members.length > NODES_MAX) {
    throw new WireError("shape", `member set must have 1 to ${NODES_MAX} members`);
  }
  refuseRepeats(
    members.map((member) => String(member.id)),
    "member",
    "member set",
  );
  return members;
}

/** SHA-256 over [+ [id, COSE_Key]], the members in their order. */
export function memberSetHash(members: readonly MemberKey[]): Uint8Array {
  return sha256(encodeCbor(memberSetToArray(members)));
}

function readGenesis(bytes: Uint8Array): Genesis {
  const message = parseSign1(bytes, GENESIS_BYTES_MAX);
  // Nothing unsigned may change the hash that names the network.
  if (message.unprotected.size !== 0) throw new WireError("shape", "genesis has an unprotected header");
  const map = asMap(decodeCbor(message.payload), "genesis", [1, 2, 3, 4, 5, 6, 7, 8]);
  const version = asUint(map.get(1), "genesis version", CODE_MAX);
  if (version !== 1) throw new WireError("unsupported", `genesis format version ${version} is not supported`);
  const nodes = asArray(map.get(5), "genesis nodes").map((node) => memberFromArray(node, "genesis node"));
  if (nodes.length === 0 || nodes.length > NODES_MAX)
    throw new WireError("shape", `genesis must have 1 to ${NODES_MAX} nodes`);
  refuseRepeats(
    nodes.map((node) => String(node.id)),
    "node",
  );
  const chains = asArray(map.get(6), "genesis chains").map((chain) => readChain(chain, nodes));
  if (chains.length === 0 || chains.length > CHAINS_MAX) {
    throw new WireError("shape", `genesis must have 1 to ${CHAINS_MAX} chains`);
  }
  refuseRepeats(
    chains.map((chain) => String(chain.service)),
    "chain",
  );
  refuseRepeats(
    chains.map((chain) => chain.name),
    "chain name",
  );
  return {
    network: networkName(map.get(2), "genesis network"),
    time_s: asUint(map.get(3), "genesis time", TIME_S_MAX),
    authority: keyFromMap(map.get(4)),
    ...(map.has(7) && { ordering: readOrdering(map.get(7)) }),
    nodes,
    chains,
    ...(map.has(8) && { isTest: readMark(map.get(8)) }),
    hash: sha256(bytes),
  };
}

/** One spelling of each meaning: what is no test network has no mark. */
function readMark(value: CborValue | undefined): true {
  if (value !== true) throw new WireError("shape", "genesis' mark of a test network is not true");
  return value;
}

function readOrdering(value: CborValue | undefined): Ordering {
  const [signatures, items] = asArray(value, "genesis ordering", 2);
  const keys = asList(items, "genesis ordering keys", ORDER_KEYS_MAX).map(keyFromMap);
  refuseRepeats(
    keys.map((key) => String(keyId(key))),
    "key that orders",
  );
  const number = asUint(signatures, "genesis ordering signatures", keys.length);
  if (number === 0) throw new WireError("shape", "genesis orders without a signature");
  return { signatures: number, keys };
}

/** [id, COSE_Key, name, ? location] */
export function memberToArray({ id, key, name, location }: Member): CborValue {
  return location === undefined ? [id, keyToMap(key), name] : [id, keyToMap(key), name, location];
}

/** Reads what `memberToArray` writes; throws a WireError where the id is not the key's. */
export function memberFromArray(value: CborValue, what: string): Member {
  const items = asArray(value, what);
  const [id, key, name, location] = items.length === 4 ? items : asArray(value, what, 3);
  const member = {
    id: asBytes(id, `${what} id`, 8),
    key: keyFromMap(key),
    name: asText(name, `${what} name`, 32),
    ...(location !== undefined && { location: asPlace(location, `${what} location`) }),
  };
  if (!equalBytes(member.id, keyId(member.key)))
    throw new WireError("shape", `${what} ${member.name}: id is not its key's`);
  return member;
}

function readChain(value: CborValue, nodes: readonly Member[]): GenesisChain {
  const [service, name, members, target, verifiers] = asArray(value, "genesis chain", 5);
  const indexes = asArray(members, "genesis chain members").map((index) =>
    asUint(index, "genesis chain member", nodes.length - 1),
  );
  if (indexes.length === 0) throw new WireError("shape", "genesis chain has no members");
  refuseRepeats(indexes.map(String), "chain member");
  const compact = asUint(target, "genesis chain target", WORD_MAX);
  if (!isTarget(compact)) throw new WireError("shape", `genesis chain target ${compact} is no compact difficulty`);
  return {
    service: asService(service, "genesis chain service"),
    name: networkName(name, "genesis chain name"),
    members: indexes.map((index) => nodes[index]!),
    target: compact,
    verifiers: verifiersOf(verifiers, indexes.length, "genesis chain verifiers"),
  };
}

/** How many of the members of a chain are to verify a temporary block. */
export function verifiersOf(value: CborValue | undefined, members: number, name: string): number {
  const verifiers = asUint(value, name, members);
  if (verifiers === 0) throw new WireError("shape", `${name} must be from 1 to ${members}, not 0`);
  return verifiers;
}

/** A network's or chain's name. */
export function networkName(value: CborValue | undefined, field: string): string {
  const name = asText(value, field, 32);
  if (!isNetworkName(name)) throw new WireError("shape", `${field} ${name} must be of a-z, 0-9 and -, a letter first`);
  return name;
}

function refuseRepeats(values: readonly string[], what: string, whole = "genesis"): void {
  if (new Set(values).size !== values.length) throw new WireError("shape", `${whole} names a ${what} twice`);
}

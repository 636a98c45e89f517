// What this page knows of its network: the genesis that everything is held against, the members that lineages lead to, blocks, credentials.

import { BLOCK_BYTES_MAX } from "../../../src/wire/block.js";
import { equalBytes, toHex } from "../../../src/wire/bytes.js";
import { CREDENTIAL_BYTES_MAX } from "../../../src/wire/credential.js";
import { WireError } from "../../../src/wire/error.js";
import { type Genesis, type MemberKey, memberSetHash, verifyGenesis } from "../../../src/wire/genesis.js";
import { headerHash } from "../../../src/wire/header.js";
import { type MembersFrom, memberSets, membersAt, splitLineage } from "../../../src/wire/lineage.js";
import { BoundedMap } from "../../bounded-map.js";
import { block as blockShape, blocks } from "../../routes/blocks.js";
import { genesis as genesisShape } from "../../routes/genesis.js";
import { decodeHolderRow, HOLDER_ROW_BYTES_MAX, holders } from "../../routes/holders.js";
import { lineage as lineageShape } from "../../routes/lineage.js";
import { type BlockQuestion, blockIn } from "../verification/block-checks.js";
import { browserVerify } from "../verification/signatures.js";
import { ask, askBytes, itemsIn } from "./ask.js";

const BLOCKS_KEPT_MAX = 256;
const CREDENTIALS_KEPT_MAX = 4_096;
/** Between two rests of this page's loop. */
const BUSY_MS_MAX = 8;

export interface Network {
  readonly genesis: Genesis;
  /** Blocks from a height on, as the node has them: at most so many. */
  blocks(service: number, from: number, limit: number): Promise<readonly Uint8Array[]>;
  /** The question after one block; its bytes are asked for where they are not at hand. */
  question(service: number, height: number): Promise<BlockQuestion>;
  members(service: number, height: number): Promise<readonly MemberKey[]>;
  lineage(service: number): Promise<readonly Uint8Array[]>;
  credential(service: number, kid: string): Promise<Uint8Array | undefined>;
  /** Of a node, where the genesis or a lineage names it. */
  nameOf(node: string): string;
}

/** The genesis as the node has it: its signature is the authority's that stands in it, which a hash from elsewhere confirms. */
export async function openNetwork(): Promise<Network> {
  return createNetwork(verifyGenesis(await askBytes(genesisShape, { parameters: {} }), browserVerify));
}

function createNetwork(genesis: Genesis): Network {
  const kept = new BoundedMap<string, Promise<Uint8Array>>(BLOCKS_KEPT_MAX);
  const credentials = new BoundedMap<string, Promise<Uint8Array | undefined>>(CREDENTIALS_KEPT_MAX);
  const sets = new Map<number, Promise<Lineage>>();
  const names = new Map(genesis.nodes.map(({ id, name }) => [toHex(id), name]));

  const fetchSets = (service: number) => {
    const found = readLineage(genesis, service);
    found.catch(() => sets.delete(service)); // the next question asks again
    sets.set(service, found);
    return found;
  };
  const setsOf = (service: number) => sets.get(service) ?? fetchSets(service);
  const membersOf = async (service: number, height: number) => {
    const members = membersAt((await setsOf(service)).sets, height);
    if (members === undefined) throw new WireError("unproven", `chain ${service} has no members at height ${height}`);
    return members;
  };
  const blockBytes = (service: number, height: number) => {
    const name = `${service}:${height}`;
    const found = kept.get(name) ?? askBytes(blockShape, { parameters: { service, height } });
    found.catch(() => kept.delete(name));
    kept.set(name, found);
    return found;
  };
  const credentialOf = (service: number, kid: string) => {
    const name = `${service}:${kid}`;
    const found = credentials.get(name) ?? askCredential(service, kid);
    found.catch(() => credentials.delete(name));
    credentials.set(name, found);
    return found;
  };
  return {
    genesis,
    members: membersOf,
    lineage: async (service) => (await setsOf(service)).items,
    credential: credentialOf,
    nameOf: (node) => names.get(node) ?? node,
    async blocks(service, from, limit) {
      const bytes = await askBytes(blocks, { parameters: { service }, query: { from, limit } });
      const items = itemsIn(bytes, { size: BLOCK_BYTES_MAX, items: 4_096 });
      items.forEach((item, index) => void kept.set(`${service}:${from + index}`, Promise.resolve(item)));
      return items;
    },
    async question(service, height) {
      const bytes = await blockBytes(service, height);
      return {
        ...{ bytes, genesis, service, height, verify: browserVerify, rest: createRest() },
        async members() {
          const members = await membersOf(service, height);
          if (equalBytes(memberSetHash(members), blockIn({ bytes }).memberSet)) return members;
          // They may have changed since the lineage was asked for.
          await fetchSets(service);
          return membersOf(service, height);
        },
        async previous() {
          if (height === 1) return genesis.hash;
          return headerHash(blockIn({ bytes: await blockBytes(service, height - 1) }).header);
        },
        credential: (kid) => credentialOf(service, kid),
      };
    },
  };
}

interface Lineage {
  readonly items: readonly Uint8Array[];
  readonly sets: readonly MembersFrom[];
}

async function readLineage(genesis: Genesis, service: number): Promise<Lineage> {
  const items = splitLineage(await askBytes(lineageShape, { parameters: { service } }));
  return { items, sets: memberSets(genesis, service, items, browserVerify) };
}

async function askCredential(service: number, kid: string): Promise<Uint8Array | undefined> {
  const answer = await ask(holders, { parameters: { service }, query: { from: kid, limit: 1 } });
  const [row] = itemsIn(new Uint8Array(await answer.arrayBuffer()), { size: HOLDER_ROW_BYTES_MAX, items: 8 });
  const found = row === undefined ? undefined : decodeHolderRow(row);
  const isAsked = found !== undefined && toHex(found.kid) === kid && found.credential.length <= CREDENTIAL_BYTES_MAX;
  return isAsked ? found.credential : undefined;
}

/** Lets the page's loop come to drawing and to its reader, where it was busy for so long. */
function createRest(): () => Promise<void> {
  let since_ms = performance.now();
  return async () => {
    if (performance.now() - since_ms < BUSY_MS_MAX) return;
    await new Promise((resolve) => setTimeout(resolve));
    since_ms = performance.now();
  };
}

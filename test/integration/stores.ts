// What the stores of nodes that have stopped hold, read by the test itself: a command that is started costs more than what it reads.
// Of one node the built command audits the store, as a user would; of the others what that command calls, with one engine for all.

import { join } from "node:path";
import type { Genesis } from "../../src/wire/genesis.js";
import type { AuditReport } from "../../tools/audit/audit.js";
import { auditNetwork } from "../../tools/audit/network.js";
import { throwWorst, withContracts } from "../../tools/cli/chain/audit.js";
import { readGenesisFile } from "../../tools/files/genesis-file.js";
import type { ChainSummary } from "../../tools/routes/chains.js";
import { withNodeSource } from "../../tools/sources/open.js";
import { gridsealJson } from "./processes.js";

/** A node that has stopped. */
export interface StoppedNode {
  readonly name: string;
  readonly folder: string;
}

/** What a store says of its chains, and what an audit of it has come to. */
export interface StoredChains {
  readonly data: string;
  readonly chains: readonly ChainSummary[];
  readonly reports: readonly Pick<AuditReport, "service" | "height" | "header" | "records" | "orders" | "violations">[];
}

/** The chains of each node, by its name. Rejects with what the audit of a store finds. */
export async function auditStores(
  genesisFile: string,
  nodes: readonly StoppedNode[],
): Promise<ReadonlyMap<string, StoredChains>> {
  const { genesis } = await readGenesisFile(genesisFile);
  const [first, ...others] = nodes.map(({ name, folder }) => ({ name, data: join(folder, "data") }));
  const stores = new Map<string, StoredChains>();
  if (first === undefined) return stores;
  const { name, data } = first;
  const reports = await gridsealJson("chain", "audit", "--data", data, "--genesis", genesisFile);
  const chains = await withNodeSource({ data, genesis: genesisFile }, (source) => source.chains());
  stores.set(name, { data, chains, reports: reports as AuditReport[] });
  await withContracts(async (run) => {
    for (const { name, data } of others) stores.set(name, await auditStore(genesis, { data, genesisFile, run }));
  });
  return stores;
}

interface AuditedStore {
  readonly data: string;
  readonly genesisFile: string;
  readonly run: Parameters<Parameters<typeof withContracts>[0]>[0];
}

function auditStore(genesis: Genesis, { data, genesisFile, run }: AuditedStore): Promise<StoredChains> {
  return withNodeSource({ data, genesis: genesisFile }, async (source) => {
    const open = (service: number) => () => source.blocks(service, 1);
    const reports = await auditNetwork(genesis, { open, runContracts: run }, undefined);
    throwWorst(reports, []);
    return { data, chains: await source.chains(), reports };
  });
}

/** A chain of a store as `chain export` writes it: its blocks one behind the other. */
export function exportOf(data: string, genesisFile: string, service: number): Promise<Uint8Array> {
  return withNodeSource({ data, genesis: genesisFile }, async (source) => {
    const blocks: Uint8Array[] = [];
    for await (const block of source.blocks(service, 1)) blocks.push(Uint8Array.from(block));
    return Buffer.concat(blocks);
  });
}

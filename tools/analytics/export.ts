// A verified range of chains as tables: every block from the first on is audited, and the rows of those that are good in every respect
// are written. What an audit does not find good leaves no export behind.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { toHex } from "../../src/wire/bytes.js";
import type { Genesis } from "../../src/wire/genesis.js";
import type { AuditedBlock, AuditOptions, AuditReport } from "../audit/audit.js";
import { auditNetwork, type BlocksOf } from "../audit/network.js";
import { createFolder } from "../files/made-once.js";
import { CONTRACTS_SERVICE } from "../ledger/governance.js";
import { columns } from "./columns.js";
import { type ExportedChain, type FileForm, FORMAT, MANIFEST, type Manifest, manifestText } from "./manifest.js";
import { createParts, type Parts } from "./parts.js";
import { rowsOfBlock } from "./rows.js";

export interface ExportPlan {
  readonly genesis: Genesis;
  readonly services: readonly number[];
  /** first block of which rows are written, and the last one, of each chain */
  readonly from: number;
  readonly to: number;
  readonly forms: readonly FileForm[];
  /** the folder to make */
  readonly out: string;
  open(service: number): BlocksOf | undefined;
  readonly runContracts: AuditOptions["runContracts"];
  /** Called after each good block, with the rows written so far. */
  onBlock?(audited: AuditedBlock, rows: number): void;
  /** Called with what the audit says, before anything is made. Throws where that is no reason to go on. */
  judge(reports: readonly AuditReport[]): void;
}

interface Written extends ExportedChain {
  readonly ids: Set<string>;
}

/** Makes the folder, whole or not at all. Rejects as `createFolder` does, and with what `judge` throws. */
export async function exportReadings(plan: ExportPlan): Promise<Manifest> {
  let manifest: Manifest | undefined;
  await createFolder(plan.out, async (folder) => {
    manifest = await fill(plan, folder);
    await writeFile(join(folder, MANIFEST), manifestText(manifest), { flag: "wx" });
  });
  return manifest!;
}

async function fill(plan: ExportPlan, folder: string): Promise<Manifest> {
  const { genesis, services, forms } = plan;
  const parts = createParts(folder, forms);
  const chains = new Map<number, Written>();
  const open = (service: number): BlocksOf | undefined => {
    const blocks = plan.open(service);
    // Other chains are judged by all orders.
    return blocks === undefined || service === CONTRACTS_SERVICE ? blocks : () => upTo(blocks(), plan.to);
  };
  const onBlock = (audited: AuditedBlock) => {
    const { chain: service } = audited.block;
    if (services.includes(service)) note(chains, audited, { plan, parts });
    plan.onBlock?.(audited, chains.get(service)?.rows ?? 0);
  };
  const reports = await auditNetwork(genesis, { open, runContracts: plan.runContracts, onBlock }, services);
  plan.judge(reports);
  const names = new Map(reports.map(({ service, name }) => [service, name]));
  const written = [...chains.values()].sort((one, other) => one.service - other.service);
  return {
    ...{ format: FORMAT, network: genesis.network, genesis: toHex(genesis.hash) },
    chains: written.map(({ ids, ...chain }) => ({
      ...chain,
      ...{ name: names.get(chain.service) ?? chain.name, meters: ids.size },
    })),
    ...{ columns, files: parts.finish() },
  };
}

interface Noting {
  readonly plan: ExportPlan;
  readonly parts: Parts;
}

function note(chains: Map<number, Written>, { block, header }: AuditedBlock, { plan, parts }: Noting): void {
  const { chain: service, height } = block;
  if (height < plan.from || height > plan.to) return;
  const fresh = { records: 0, meters: 0, rows: 0, hidden: 0, beyond: 0, ids: new Set<string>() };
  const known = chains.get(service) ?? { ...fresh, service, name: `chain ${service}`, from: height };
  let { records, rows, hidden, beyond } = known;
  let last: string | undefined;
  for (const row of rowsOfBlock(block)) {
    parts.add(service, row);
    rows += 1;
    if (row.obis !== null && row.value === null) beyond += 1;
    if (row.record === last) continue;
    last = row.record;
    records += 1;
    hidden += row.hidden;
    known.ids.add(row.meter);
  }
  chains.set(service, { ...known, to: height, header: toHex(header), records, rows, hidden, beyond });
}

async function* upTo(blocks: AsyncIterable<Uint8Array>, to: number): AsyncGenerator<Uint8Array> {
  let height = 0;
  for await (const bytes of blocks) {
    height += 1;
    if (height > to) return;
    yield bytes;
  }
}

// `gridseal analytics export`: a verified range of chains as Parquet and CSV, partitioned by service and UTC day.

import { type Command, Option } from "commander";
import { HEIGHT_MAX } from "../../../src/wire/bounds.js";
import { toHex } from "../../../src/wire/bytes.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import { exportReadings } from "../../analytics/export.js";
import type { FileForm, Manifest } from "../../analytics/manifest.js";
import type { AuditReport } from "../../audit/audit.js";
import type { BlocksOf } from "../../audit/network.js";
import { GridsealError } from "../../errors.js";
import { chainNamed, readGenesisFile } from "../../files/genesis-file.js";
import { refuseExisting } from "../../files/made-once.js";
import { exportsIn, genesisIn } from "../../sources/exports.js";
import { openFileSource } from "../../sources/file.js";
import { type SourceOptions, withNodeSource } from "../../sources/open.js";
import { whole, withNode } from "../../terminal/arguments.js";
import { countText, networkText, printLines, printNote, table, toJson } from "../../terminal/output.js";
import { type Step, withProgress } from "../../terminal/progress.js";
import { throwWorst, withContracts } from "../chain/audit.js";

interface ExportOptions extends SourceOptions {
  readonly services?: string;
  readonly fromHeight: number;
  readonly toHeight?: number;
  readonly format: FileForm | "both";
  readonly out: string;
  readonly json?: true;
}

/** Where the chains are read. */
interface Chains {
  readonly genesis: Genesis;
  /** services of which there are blocks, with the height of the newest where that is known */
  readonly heights: ReadonlyMap<number, number | undefined>;
  named(text: string): number;
  open(service: number): BlocksOf | undefined;
}

export function registerExport(analytics: Command): void {
  withNode(
    analytics
      .command("export")
      .description("audit chains from their first block, and write their readings as tables with what proves each row"),
  )
    .argument("[folder]", "folder of chains that `chain export` wrote, *contracts* among them")
    .option("--services <list>", "names or numbers of services, commas between; all where absent")
    .option("--from-height <height>", "first block of which rows are written", whole(1, HEIGHT_MAX), 1)
    .option("--to-height <height>", "last block of each chain; its newest where absent", whole(1, HEIGHT_MAX))
    .addOption(new Option("--format <form>", "what is written").choices(["parquet", "csv", "both"]).default("parquet"))
    .requiredOption("-o, --out <dir>", "folder to make")
    .option("--json", "print the manifest without its files as JSON")
    .action(exportTables);
}

async function exportTables(folder: string | undefined, options: ExportOptions): Promise<void> {
  await refuseExisting(options.out);
  const { manifest, genesis } = await withProgress((tell) =>
    folder === undefined ? fromNode(options, tell) : fromFolder(folder, options, tell),
  );
  if (options.json) {
    const { files, columns: _, ...said } = manifest;
    printLines([toJson({ ...said, files: files.length, folder: options.out })]);
    return;
  }
  printManifest(manifest, genesis, options.out);
}

/** What was made, and by which genesis it was verified. */
interface Exported {
  readonly manifest: Manifest;
  readonly genesis: Genesis;
}

async function fromNode(options: ExportOptions, tell: (step: Step) => void): Promise<Exported> {
  const { genesis: path } = options;
  if (path === undefined)
    throw new GridsealError("USAGE", "name the genesis with --genesis: all is verified against it");
  const { genesis } = await readGenesisFile(path);
  return withNodeSource(options, async (source) => {
    const known = await source.chains();
    const chains: Chains = {
      genesis,
      heights: new Map(known.map(({ service, height }) => [service, height])),
      named: (text) =>
        known.find(({ service, name }) => name === text || String(service) === text)?.service ??
        chainNamed(genesis, text).service,
      open: (service) =>
        known.some((chain) => chain.service === service) ? () => source.blocks(service, 1) : undefined,
    };
    return { genesis, manifest: await write(chains, options, tell) };
  });
}

async function fromFolder(folder: string, options: ExportOptions, tell: (step: Step) => void): Promise<Exported> {
  if (options.api !== undefined || options.data !== undefined) {
    throw new GridsealError("USAGE", `name one source: ${folder}, --api or --data`);
  }
  const { genesis } = await readGenesisFile(options.genesis ?? (await genesisIn(folder)));
  const paths = await exportsIn(folder);
  const chains: Chains = {
    genesis,
    heights: new Map([...paths.keys()].map((service) => [service, undefined])),
    named: (text) => (/^\d+$/.test(text) ? Number(text) : chainNamed(genesis, text).service),
    open(service) {
      const path = paths.get(service);
      return path === undefined ? undefined : () => openFileSource(path).blocks(service, 1);
    },
  };
  return { genesis, manifest: await write(chains, options, tell) };
}

async function write(chains: Chains, options: ExportOptions, tell: (step: Step) => void): Promise<Manifest> {
  const { genesis, heights, open } = chains;
  const services =
    options.services === undefined ? [...heights.keys()] : [...new Set(options.services.split(",").map(chains.named))];
  const missing = services.find((service) => open(service) === undefined);
  if (missing !== undefined || services.length === 0) {
    throw new GridsealError("NOT_FOUND", `there are no blocks of chain ${missing ?? "any service"}`);
  }
  const { fromHeight: from, toHeight: to = HEIGHT_MAX, out } = options;
  if (from > to) throw new GridsealError("USAGE", "--from-height is behind --to-height");
  const judge = (reports: readonly AuditReport[]) => {
    throwWorst(reports, []);
    const short = reports.find(({ service, height }) => services.includes(service) && height < from);
    if (short !== undefined) throw new GridsealError("NOT_FOUND", `chain ${short.name} ends at block ${short.height}`);
    const cut = reports.find(
      ({ service, height }) => options.toHeight !== undefined && services.includes(service) && height < to,
    );
    if (cut !== undefined)
      throw new GridsealError("NOT_FOUND", `chain ${cut.name} ends at block ${cut.height}, before ${to}`);
  };
  const forms: readonly FileForm[] = options.format === "both" ? ["parquet", "csv"] : [options.format];
  return withContracts((runContracts) =>
    exportReadings({
      ...{ genesis, services, from, to, forms, out, open, runContracts, judge },
      onBlock({ block: { chain, height } }, rows) {
        const total = heights.get(chain);
        const most = total === undefined ? undefined : Math.min(total, to);
        const what = `verifying and exporting chain ${chain}, ${rows} rows`;
        tell({ what, done: height, unit: "block", ...(most !== undefined && { total: most }) });
      },
    }),
  );
}

function printManifest({ chains, files }: Manifest, genesis: Genesis, out: string): void {
  const rows = chains.map((chain) => [
    ...[chain.name, `${chain.from} to ${chain.to}`, chain.records, chain.meters, chain.rows, chain.hidden],
    chain.header.slice(0, 16),
  ]);
  printLines(table(["CHAIN", "BLOCKS", "RECORDS", "METERS", "ROWS", "HIDDEN", "HEADER"], rows));
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  printLines([
    `${out}: ${countText(files.length, "file")}, ${bytes} bytes, and manifest.json`,
    `verified against genesis ${toHex(genesis.hash).slice(0, 16)} of network ${networkText(genesis)}`,
  ]);
  const hidden = chains.reduce((sum, chain) => sum + chain.hidden, 0);
  if (hidden > 0)
    printNote(
      `${countText(hidden, "confidential group")} of these records are not here: values are as everybody sees them`,
    );
  const beyond = chains.reduce((sum, chain) => sum + chain.beyond, 0);
  if (beyond > 0) printNote(`${countText(beyond, "value")} beyond 64 bits are not here`);
}

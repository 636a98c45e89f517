// `gridseal chain audit`: checks whole chains, from exported files or from a node, with nothing but the genesis.

import type { Command } from "commander";
import { decodeBlock } from "../../src/wire/block.js";
import { chainOf, type Genesis } from "../../src/wire/genesis.js";
import { headerHash } from "../../src/wire/header.js";
import { type AuditReport, auditChain } from "../audit/audit.js";
import { type ChainSource, openNodeSource, type SourceOptions } from "../audit/source.js";
import { openFileSource, serviceOfFile } from "../audit/source-file.js";
import { chainNamed, readGenesisFile } from "../authority/genesis-file.js";
import { GridsealError } from "../errors.js";
import { withNode } from "./arguments.js";
import { printLines, table, timeText, toJson } from "./output.js";

interface AuditOptions extends SourceOptions {
  readonly genesis: string;
  readonly json?: true;
}

export function registerChainAudit(chain: Command): void {
  withNode(chain.command("audit").description("check whole chains with nothing but the genesis"))
    .argument("[what...]", "exported files; with --api or --data the services, all where absent")
    .option("--json", "print JSON")
    .action(audit);
}

async function audit(what: readonly string[], options: AuditOptions): Promise<void> {
  if (options.genesis === undefined) {
    throw new GridsealError("USAGE", "name the genesis with --genesis: an audit rests on it alone");
  }
  const { genesis } = await readGenesisFile(options.genesis);
  const fromNode = options.api !== undefined || options.data !== undefined;
  const reports = fromNode ? await auditNode(genesis, what, options) : await auditFiles(genesis, what);
  if (options.json) printLines([toJson(reports)]);
  else printReports(reports);
  const bad = reports.find(({ firstProblem }) => firstProblem !== undefined);
  if (bad?.firstProblem !== undefined) {
    const { height, what: problem } = bad.firstProblem;
    throw new GridsealError("CHAIN_INVALID", `chain ${bad.name}, block ${height}: ${problem}`);
  }
}

async function auditNode(
  genesis: Genesis,
  services: readonly string[],
  options: AuditOptions,
): Promise<readonly AuditReport[]> {
  const chains = services.length === 0 ? genesis.chains : services.map((service) => chainNamed(genesis, service));
  const source = await openNodeSource(options);
  const reports: AuditReport[] = [];
  try {
    for (const chain of chains) {
      const blocks = () => source.blocks(chain.service, 1);
      reports.push(await auditChain(genesis, chain, blocks, { headerOf: headersOf(source) }));
    }
  } finally {
    await source.close();
  }
  return reports;
}

async function auditFiles(genesis: Genesis, files: readonly string[]): Promise<readonly AuditReport[]> {
  if (files.length === 0)
    throw new GridsealError("USAGE", "name what to audit: exported files, --api URL or --data DIR");
  const reports: AuditReport[] = [];
  for (const file of files) {
    const service = await serviceOfFile(file);
    const chain = chainOf(genesis, service);
    if (chain === undefined) {
      throw new GridsealError(
        "CHAIN_INVALID",
        `${file} is of service ${service}, which network ${genesis.network} has not`,
      );
    }
    const source = openFileSource(file);
    reports.push(await auditChain(genesis, chain, () => source.blocks(service, 1)));
  }
  return reports;
}

function headersOf(source: ChainSource): (service: number, height: number) => Promise<Uint8Array | undefined> {
  return async (service, height) => {
    const bytes = await source.block(service, height);
    return bytes === undefined ? undefined : headerHash(decodeBlock(bytes).header);
  };
}

function printReports(reports: readonly AuditReport[]): void {
  const rows = reports.map((report) => [
    report.name,
    report.height,
    report.records,
    report.meters,
    report.violations.gap,
    report.violations.fork,
    report.violations.link,
    report.violations.equivocation,
    `${report.anchors.confirmed}/${report.anchors.named}`,
    report.time_ms === undefined ? "-" : timeText(report.time_ms),
    report.firstProblem === undefined ? "good" : `BAD at ${report.firstProblem.height}`,
  ]);
  printLines(
    table(
      [
        "CHAIN",
        "HEIGHT",
        "RECORDS",
        "METERS",
        "GAPS",
        "FORKS",
        "LINKS",
        "EQUIVOCATIONS",
        "ANCHORS",
        "SEALED AT",
        "RESULT",
      ],
      rows,
    ),
  );
}

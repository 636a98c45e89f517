// `gridseal chain audit`: checks whole chains, from exported files or from a node, with nothing but the genesis.

import type { Command } from "commander";
import type { Genesis } from "../../src/wire/genesis.js";
import type { AuditReport } from "../audit/audit.js";
import { auditNetwork } from "../audit/network.js";
import { type ChainSummary, openNodeSource, type SourceOptions } from "../audit/source.js";
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
  const [contradiction] = reports.flatMap(contradictionsOf);
  if (contradiction !== undefined) throw new GridsealError("CHAIN_INVALID", `chain ${contradiction}`);
}

async function auditNode(
  genesis: Genesis,
  services: readonly string[],
  options: AuditOptions,
): Promise<readonly AuditReport[]> {
  const source = await openNodeSource(options);
  try {
    const known = services.length === 0 ? [] : await source.chains();
    const asked = services.map((text) => serviceNamed(genesis, known, text));
    const open = (service: number) => () => source.blocks(service, 1);
    return await auditNetwork(genesis, open, services.length === 0 ? undefined : asked);
  } finally {
    await source.close();
  }
}

/** The service that a person names: the genesis has it, or the node says that an order has added it. */
function serviceNamed(genesis: Genesis, known: readonly ChainSummary[], text: string): number {
  const added = known.find(({ service, name }) => name === text || String(service) === text);
  return added?.service ?? chainNamed(genesis, text).service;
}

async function auditFiles(genesis: Genesis, files: readonly string[]): Promise<readonly AuditReport[]> {
  if (files.length === 0)
    throw new GridsealError("USAGE", "name what to audit: exported files, --api URL or --data DIR");
  const paths = new Map<number, string>();
  for (const file of files) {
    const service = await serviceOfFile(file);
    const other = paths.get(service);
    if (other !== undefined) throw new GridsealError("USAGE", `${other} and ${file} are both of service ${service}`);
    paths.set(service, file);
  }
  const open = (service: number) => {
    const path = paths.get(service);
    return path === undefined ? undefined : () => openFileSource(path).blocks(service, 1);
  };
  return auditNetwork(genesis, open, [...paths.keys()]);
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
    resultOf(report),
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
  printLines(reports.flatMap(detailsOf));
}

/** By itself; and whether it contradicts another chain, which leaves that one what it is by itself. */
function resultOf({ firstProblem, anchors }: AuditReport): string {
  if (firstProblem !== undefined) return `BAD at ${firstProblem.height}`;
  const [first] = anchors.contradictions;
  return first === undefined ? "good" : `CONTRADICTS at ${first.block}`;
}

/** Where it names another header than another chain has: who proposed that, who signed it, and what it comes to. */
function contradictionsOf({ name, anchors }: AuditReport): string[] {
  return anchors.contradictions.map(({ block, round, proposer, signers, service, height, named, sealed }) => {
    const what = `anchors block ${height} of chain ${service} as ${named.slice(0, 16)}, where that chain has ${sealed.slice(0, 16)}`;
    const who = `node ${proposer} proposed it in round ${round}, ${signers.join(", ")} signed it`;
    const so = `either they sealed an anchor that no certificate proves, or a quorum of chain ${service} has signed two blocks`;
    return `${name}, block ${block}: ${what}; ${who}: ${so}`;
  });
}

/** What a chain holds against nodes, and what it says of other chains. */
function detailsOf(report: AuditReport): string[] {
  const { name, orders, equivocations, anchors } = report;
  return [
    ...(orders === 0 ? [] : [`${name} seals ${orders} orders`]),
    ...equivocations.map(
      ({ block, node, height, round, statement }) =>
        `${name}, block ${block}: node ${node} signed two ${statement}s at height ${height}, round ${round}`,
    ),
    ...anchors.chains.map(
      ({ service, first, last, named }) =>
        `${name} anchors ${named} heights of chain ${service}, from ${first} to ${last}`,
    ),
    ...contradictionsOf(report),
    ...(anchors.contradicted === anchors.contradictions.length
      ? []
      : [`${name} has ${anchors.contradicted} such anchors, of which the first are listed`]),
  ];
}

// `gridseal chain audit`: checks whole chains, from exported files or from a node, with nothing but
// the genesis.

import type { Command } from "commander";
import { equalBytes } from "../../../src/wire/bytes.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import type { AuditedBlock, AuditReport } from "../../audit/audit.js";
import { auditNetwork } from "../../audit/network.js";
import { auditPublic } from "../../audit/public.js";
import { type ErrorCode, GridsealError } from "../../errors.js";
import { chainNamed, readGenesisFile } from "../../files/genesis-file.js";
import { type ChainContracts, createChainContracts } from "../../node/contracts/node-contracts.js";
import type { ChainSummary } from "../../routes/chains.js";
import { openFileSource, openPublicFile, serviceOfFile } from "../../sources/file.js";
import type { Lack } from "../../sources/incomplete.js";
import { type SourceOptions, withNodeSource } from "../../sources/open.js";
import { withNode } from "../../terminal/arguments.js";
import {
  countText,
  durationText,
  numbersText,
  printLines,
  printNote,
  table,
  timeText,
  toJson,
} from "../../terminal/output.js";
import { type Step, withProgress } from "../../terminal/progress.js";
import { checkedText } from "../told.js";

interface AuditOptions extends SourceOptions {
  readonly genesis: string;
  readonly json?: true;
}

/** A file that was named and holds no chain, and what it holds instead. */
interface NoChain {
  readonly file: string;
  readonly what: string;
}

/** The error that ends a command where this is what keeps it from a verdict. */
export const lackErrors: Readonly<Record<Lack, ErrorCode>> = {
  contracts: "CONTRACTS_MISSING",
  end: "CHAIN_CUT",
  start: "CHAIN_CUT",
  pruned: "CHAIN_PRUNED",
  public: "CHAIN_PUBLIC",
  rules: "SCRIPT_UNKNOWN",
};

export function registerAudit(chain: Command): void {
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
  const begun_ms = performance.now();
  const { reports, noChains } = await withProgress(async (tell) =>
    fromNode
      ? { reports: await auditNode(genesis, what, { ...options, tell }), noChains: [] }
      : auditFiles(genesis, what, tell),
  );
  noteRate(reports, performance.now() - begun_ms);
  if (options.json) printLines([toJson([...reports, ...noChains.map((none) => ({ ...none, verdict: "no-chain" }))])]);
  else {
    printReports(reports, noChains);
    printLines([checkedText("each block's seal, records, runs and what follows from them", genesis)]);
  }
  throwWorst(reports, noChains);
}

/**
 * Throws for what is worst: what is bad, then what could not be judged, then what is no chain at
 * all.
 */
export function throwWorst(reports: readonly AuditReport[], [noChain]: readonly NoChain[]): void {
  const worst =
    reports.find(({ verdict }) => verdict === "bad") ?? reports.find(({ verdict }) => verdict === "incomplete");
  if (worst?.firstProblem !== undefined) {
    const { height, what, lacks } = worst.firstProblem;
    const block = `block ${height}: `;
    throw new GridsealError(
      lacks === undefined ? "CHAIN_INVALID" : lackErrors[lacks],
      `chain ${worst.name}, ${what.startsWith(block) ? what : block + what}`,
    );
  }
  const [contradiction] = reports.flatMap(contradictionsOf);
  if (contradiction !== undefined) throw new GridsealError("CHAIN_INVALID", `chain ${contradiction}`);
  if (noChain !== undefined) throw new GridsealError("NO_CHAIN", `${noChain.file} is no chain: ${noChain.what}`);
}

async function auditNode(
  genesis: Genesis,
  services: readonly string[],
  options: AuditOptions & { readonly tell: Tell },
): Promise<readonly AuditReport[]> {
  return withNodeSource(options, async (source) => {
    const known = await source.chains();
    const asked = services.map((text) => serviceNamed(genesis, known, text));
    const open = (service: number) => () => source.blocks(service, 1);
    return await withContracts((runContracts) =>
      auditNetwork(
        genesis,
        { open, runContracts, onBlock: telling(options.tell, known) },
        services.length === 0 ? undefined : asked,
      ),
    );
  });
}

type Tell = (step: Step) => void;

/** Says how far the audit is, by records: of how many, where a node knows that. */
function telling(tell: Tell, known: readonly ChainSummary[]): (audited: AuditedBlock) => void {
  const chains = new Map(known.map((chain) => [chain.service, chain]));
  const counts = new Map<number, number>();
  return ({ block: { chain, batches } }) => {
    const { name = `chain ${chain}`, records: total } = chains.get(chain) ?? {};
    const done = batches.reduce((sum, { records }) => sum + records.length, counts.get(chain) ?? 0);
    counts.set(chain, done);
    tell({ what: `auditing ${name}`, done, unit: "record", ...(total !== undefined && { total }) });
  };
}

/** So long an audit takes that says how fast it was. */
const SAID_FROM_MS = 2_000;

/** How many records were audited in which time: what the next audit will take. */
function noteRate(reports: readonly AuditReport[], elapsed_ms: number): void {
  if (elapsed_ms < SAID_FROM_MS) return;
  const records = reports.reduce((sum, report) => sum + report.records, 0);
  const rate = Math.round((1_000 * records) / elapsed_ms);
  printNote(`audited ${countText(records, "record")} in ${durationText(elapsed_ms)}, ${countText(rate, "record")}/s`);
}

/** The engine is started with the first contract that runs. */
export async function withContracts<T>(use: (run: ChainContracts["run"]) => Promise<T>): Promise<T> {
  const contracts = createChainContracts();
  try {
    return await use(contracts.run);
  } finally {
    await contracts.close();
  }
}

/**
 * The service that a person names: the genesis has it, or the node says that an order has added it.
 */
function serviceNamed(genesis: Genesis, known: readonly ChainSummary[], text: string): number {
  const added = known.find(({ service, name }) => name === text || String(service) === text);
  return added?.service ?? chainNamed(genesis, text).service;
}

/**
 * Audits what is a chain among the files; the genesis, which lies beside them in a folder, is
 * passed over.
 */
async function auditFiles(
  genesis: Genesis,
  files: readonly string[],
  tell: Tell,
): Promise<{ readonly reports: readonly AuditReport[]; readonly noChains: readonly NoChain[] }> {
  if (files.length === 0)
    throw new GridsealError("USAGE", "name what to audit: exported files, --api URL or --data DIR");
  const paths = new Map<number, string>();
  const noChains: NoChain[] = [];
  const publicReports: AuditReport[] = [];
  for (const file of files) {
    const open = await openPublicFile(file);
    if (open !== undefined) {
      const what = `auditing headers of chain ${open.head.chain}`;
      const onBlock = (done: number) => tell({ what, done, unit: "block" });
      publicReports.push(await auditPublic(genesis, open.head, open.blocks(), onBlock));
      continue;
    }
    const service = await serviceOfFile(file).catch((error: unknown) => {
      if (!(error instanceof GridsealError && error.code === "CHAIN_INVALID")) throw error;
      return error.message.slice(file.length + 1);
    });
    if (typeof service === "string") {
      if (!(await isGenesis(file, genesis))) noChains.push({ file, what: service });
      continue;
    }
    const other = paths.get(service);
    if (other !== undefined) throw new GridsealError("USAGE", `${other} and ${file} are both of service ${service}`);
    paths.set(service, file);
  }
  if (paths.size + noChains.length + publicReports.length === 0) {
    throw new GridsealError(
      "USAGE",
      `there is no chain among ${files.join(", ")}: the genesis alone says nothing of one`,
    );
  }
  const open = (service: number) => {
    const path = paths.get(service);
    return path === undefined ? undefined : () => openFileSource(path).blocks(service, 1);
  };
  const reports = await withContracts((runContracts) =>
    auditNetwork(genesis, { open, runContracts, onBlock: telling(tell, []) }, [...paths.keys()]),
  );
  return { reports: [...reports, ...publicReports], noChains };
}

async function isGenesis(file: string, { hash }: Genesis): Promise<boolean> {
  const read = await readGenesisFile(file).catch(() => undefined);
  return read !== undefined && equalBytes(read.genesis.hash, hash);
}

function printReports(reports: readonly AuditReport[], noChains: readonly NoChain[]): void {
  const rows = reports.map((report) => [
    report.name,
    report.height,
    report.records,
    report.meters,
    report.openGaps.numbers,
    report.violations.gap,
    report.violations.fork,
    report.violations.link,
    report.violations.equivocation,
    report.violations.falseAcknowledgement,
    report.violations.contract,
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
        "MISSING",
        "GAPS",
        "FORKS",
        "LINKS",
        "EQUIVOCATIONS",
        "FALSE WORDS",
        "CONTRACTS",
        "ANCHORS",
        "TIMESTAMP",
        "RESULT",
      ],
      rows,
    ),
  );
  printLines(reports.flatMap(detailsOf));
  printLines(noChains.map(({ file, what }) => `${file} is no chain: ${what}`));
}

/**
 * By itself; and whether it contradicts another chain, which leaves that one what it is by itself.
 */
function resultOf({ verdict, firstProblem, anchors }: AuditReport): string {
  if (firstProblem !== undefined) return `${verdict === "bad" ? "BAD" : "INCOMPLETE"} at ${firstProblem.height}`;
  const [first] = anchors.contradictions;
  return first === undefined ? "good" : `CONTRADICTS at ${first.block}`;
}

/**
 * Where it names another header than another chain has: who proposed that, who signed it, and what
 * it comes to.
 */
function contradictionsOf({ name, anchors }: AuditReport): string[] {
  return anchors.contradictions.map(({ block, round, proposer, signers, service, height, named, sealed }) => {
    const what = `anchors block ${height} of chain ${service} as ${named.slice(0, 16)}, where that chain has ${sealed.slice(0, 16)}`;
    const who = `node ${proposer} proposed it in round ${round}, ${signers.join(", ")} signed it`;
    const so = `either they sealed an anchor that no certificate proves, or a quorum of chain ${service} has signed two blocks`;
    return `${name}, block ${block}: ${what}; ${who}: ${so}`;
  });
}

/** Missing numbers that are listed for people. */
const GAPS_SHOWN = 10;

/** What a chain lacks as yet, what it holds against nodes, and what it says of other chains. */
function detailsOf(report: AuditReport): string[] {
  const { name, orders, equivocations, falseAcknowledgements, anchors, openGaps } = report;
  const listed = openGaps.first.slice(0, GAPS_SHOWN);
  return [
    ...listed.map(({ meter, from, to }) => `${name}: meter ${meter} has not brought ${numbersText(from, to)} yet`),
    ...(openGaps.first.length > listed.length
      ? [`${name}: ${openGaps.numbers} numbers of ${openGaps.meters} meters are missing as yet; --json lists more`]
      : []),
    ...(orders === 0 ? [] : [`${name} seals ${orders} orders`]),
    ...equivocations.map(
      ({ block, node, height, round, statement }) =>
        `${name}, block ${block}: node ${node} signed two ${statement}s at height ${height}, round ${round}`,
    ),
    ...falseAcknowledgements.map(
      ({ block, node, origin, number }) =>
        `${name}, block ${block}: node ${node} signed that it had verified temporary block ${number} of node ${origin}, and a record of it does not verify`,
    ),
    ...anchors.chains.map(
      ({ service, first, last, named }) =>
        `${name} anchors ${countText(named, "height")} of chain ${service}, from ${first} to ${last}`,
    ),
    ...contradictionsOf(report),
    ...(anchors.contradicted === anchors.contradictions.length
      ? []
      : [`${name} has ${anchors.contradicted} such anchors, of which the first are listed`]),
  ];
}

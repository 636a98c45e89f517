// `gridseal contract diff`: what changes from one version of a contract to another: limits, types, parameters, source.

import type { Command } from "commander";
import { WORD_MAX } from "../../../src/wire/bounds.js";
import { toHex } from "../../../src/wire/bytes.js";
import type { InstallAction } from "../../../src/wire/contract-order.js";
import { GridsealError } from "../../errors.js";
import { contractsAt } from "../../ledger/contract-orders.js";
import { type Governance, governedHeight } from "../../ledger/governance.js";
import type { SourceOptions } from "../../sources/open.js";
import { whole, withNode } from "../../terminal/arguments.js";
import { printLines, printText, table, toJson } from "../../terminal/output.js";
import { namedService } from "../authority/order/named-chain.js";
import { checkedText } from "../told.js";
import { diffLines, diffText } from "./line-diff.js";
import { sealedGovernance } from "./list.js";
import { contractName } from "./terms.js";

interface DiffOptions extends SourceOptions {
  readonly service: string;
  readonly from: number;
  readonly to: number;
  readonly json?: true;
}

/** A version with what holds from its first height on. */
interface Version {
  readonly install: InstallAction;
  readonly fields: ReadonlyMap<string, string>;
  readonly source: string;
}

export function registerDiff(contract: Command): void {
  withNode(
    contract
      .command("diff")
      .description("show what changes from one version of a contract to another: limits, types, parameters, source")
      .argument("<name>", "its name", contractName),
  )
    .requiredOption("--service <name>", "name or number of the chain")
    .requiredOption("--from <version>", "the version before", whole(1, WORD_MAX))
    .requiredOption("--to <version>", "the version after", whole(1, WORD_MAX))
    .option("--json", "print JSON")
    .action(diff);
}

async function diff(name: string, options: DiffOptions): Promise<void> {
  const governance = await sealedGovernance(options);
  const { from, to } = options;
  const service = namedService(governance, options.service);
  const before = versionOf(governance, { service, name, version: from });
  const after = versionOf(governance, { service, name, version: to });
  const names = [...new Set([...before.fields.keys(), ...after.fields.keys()])];
  const changes = names
    .map((field) => ({ field, before: before.fields.get(field) ?? "", after: after.fields.get(field) ?? "" }))
    .filter((change) => change.before !== change.after);
  const lines = diffLines(before.source, after.source);
  const hasChanged = lines.some(({ sign }) => sign !== " ");
  if (options.json) {
    const source = hasChanged ? lines.filter(({ sign }) => sign !== " ") : [];
    printLines([toJson({ service, name, from, to, changes, source })]);
    return;
  }
  printLines([
    `${name} of chain ${service}, from version ${from} to ${to}`,
    ...(changes.length === 0 ? [] : ["", ...table(["", String(from), String(to)], changes.map(rowOf))]),
    "",
    checkedText("the sealed orders' signatures", governance.genesis),
    "",
  ]);
  // Code is copied: its lines are not folded.
  printText(`${(hasChanged ? diffText(lines) : ["the source is the same"]).join("\n")}\n`);
}

function rowOf(change: { readonly field: string; readonly before: string; readonly after: string }) {
  return [change.field, change.before || "-", change.after || "-"];
}

function versionOf(
  governance: Governance,
  named: { readonly service: number; readonly name: string; readonly version: number },
): Version {
  const { service, name, version } = named;
  const install = governance.contracts.rulings
    .flatMap(({ action }) => (action.type === "install" ? [action] : []))
    .find((action) => action.service === service && action.name === name && action.version === version);
  const source = install && governance.contracts.sources.get(toHex(install.source));
  if (install === undefined || source === undefined) {
    throw new GridsealError("NOT_FOUND", `chain ${service} never had version ${version} of a contract ${name}`);
  }
  return { install, source, fields: fieldsOf(governance, install) };
}

/** All that a version runs with, as text. */
function fieldsOf(governance: Governance, install: InstallAction): Map<string, string> {
  const { service, name, fromHeight: height } = install;
  const place = { service, height, judgedAt: governedHeight(governance) };
  const there = contractsAt(governance.contracts, place).find((one) => one.install.name === name);
  const parameters = (there?.parameters ?? []).flatMap(({ jurisdiction, parameters: set }) =>
    [...set].map(([key, value]) => [`${key} in ${jurisdiction ?? "all"}`, String(value)] as const),
  );
  const { type, service: _service, name: _name, version: _version, fromHeight, ...others } = install;
  return new Map<string, string>([
    ["from height", String(fromHeight)],
    ...Object.entries(others).map(([field, value]) => [field, textOf(value)] as const),
    ...parameters,
  ]);
}

function textOf(value: unknown): string {
  return value instanceof Uint8Array ? toHex(value).slice(0, 16) : String(toJson(value)).replace(/^\[|\]$/g, "");
}

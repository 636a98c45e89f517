// `gridseal grid check`: whether a grid carries a schedule, offline.

import type { Command } from "commander";
import { type Binding, type Case, checkSchedule, type Verdict } from "../../dispatch/check.js";
import { GridsealError } from "../../errors.js";
import { decimal, pairs, printLines, table, toJson } from "../../terminal/output.js";
import { type GridFile, readGridFile } from "./network-file.js";

interface CheckOptions {
  readonly outages?: true;
  readonly json?: true;
}

export function registerCheck(grid: Command): void {
  grid
    .command("check")
    .description("whether a grid carries a schedule: voltages, loadings, what must be curtailed")
    .argument("<file>", "grid and schedule, JSON")
    .option("--outages", "also with any one branch of a mesh out of service")
    .option("--json", "print JSON")
    .action(check);
}

async function check(path: string, { outages, json }: CheckOptions): Promise<void> {
  const file = await readGridFile(path);
  const verdict = checkSchedule({ ...file, withOutages: outages === true });
  printLines(json ? [toJson(viewOf(file, verdict))] : linesOf(file, verdict));
  if (verdict.type === "refused") {
    const why = verdict.binding === undefined ? "" : `: ${bindingText(file, verdict.binding)}`;
    throw new GridsealError("GRID_UNSAFE", `${path} is not within its limits, whatever is delivered${why}`);
  }
  if (verdict.type === "curtailed") {
    const kept = decimal(verdict.kept, -1);
    throw new GridsealError(
      "GRID_UNSAFE",
      `${path} carries ${kept} % of its deliveries: ${bindingText(file, verdict.binding!)}`,
    );
  }
}

function bindingText(file: GridFile, binding: Binding): string {
  const out = "outage" in binding && binding.outage !== undefined ? ` without ${branchId(file, binding.outage)}` : "";
  switch (binding.type) {
    case "voltage":
      return `bus ${busId(file, binding.bus)} comes to ${decimal(binding.value, -2)} % of its voltage${out}`;
    case "loading":
      return `${branchId(file, binding.branch)} is loaded to ${decimal(binding.value, -1)} %${out}`;
    case "diverged":
      return `no state was found${out}: it asks more of the grid than it can carry`;
    case "islanded":
      return `bus ${busId(file, binding.bus)} has no way to the slack`;
  }
}

function busId({ network }: GridFile, bus: number): string {
  return network.buses[bus]!.id;
}

function branchId({ network }: GridFile, branch: number): string {
  return network.branches[branch]!.id;
}

/** W that the branches take, with what is carried and without any delivery. */
function lossView({ base }: GridFile, { carried, without }: NonNullable<Verdict["losses"]>) {
  return { losses_W: Math.round(carried * base) + 0, losses_without_W: Math.round(without * base) + 0 };
}

function viewOf(file: GridFile, { type, kept, powers, binding, closest, cases, losses }: Verdict) {
  return {
    verdict: type,
    kept_permille: kept,
    cases,
    ...(binding !== undefined && { binding: bindingText(file, binding) }),
    closest: closestView(file, closest),
    ...(losses !== undefined && lossView(file, losses)),
    deliveries: powers.map((power, index) => ({
      id: file.names[index],
      asked_W: file.deliveries[index]!.power,
      carried_W: power,
    })),
  };
}

function closestView(file: GridFile, { voltage, loading }: Case) {
  return {
    ...(voltage !== undefined && { bus: busId(file, voltage.bus), voltage_percent: decimal(voltage.value, -2) }),
    ...(loading !== undefined && {
      branch: branchId(file, loading.branch),
      loading_percent: decimal(loading.value, -1),
    }),
  };
}

function linesOf(file: GridFile, { type, kept, powers, closest, cases, losses }: Verdict): string[] {
  const { voltage, loading } = closest;
  const lost = losses && lossView(file, losses);
  const rows = powers.map((power, index) => [
    file.names[index]!,
    busId(file, file.deliveries[index]!.bus),
    `${file.deliveries[index]!.power}`,
    `${power}`,
  ]);
  return [
    ...pairs([
      ["verdict", type],
      ["carried", `${decimal(kept, -1)} %`],
      ["cases", cases],
      ...(voltage === undefined
        ? []
        : [["closest voltage", `${decimal(voltage.value, -2)} % at ${busId(file, voltage.bus)}`] as const]),
      ...(loading === undefined
        ? []
        : [["highest loading", `${decimal(loading.value, -1)} % of ${branchId(file, loading.branch)}`] as const]),
      ...(lost === undefined
        ? []
        : [["losses", `${lost.losses_W} W, without deliveries ${lost.losses_without_W} W`] as const]),
    ]),
    ...(rows.length > 0 ? ["", ...table(["DELIVERY", "BUS", "ASKED W", "CARRIED W"], rows)] : []),
  ];
}

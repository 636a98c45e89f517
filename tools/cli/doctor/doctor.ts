// `gridseal doctor`: looks over a node's configuration, machine and surroundings, before its first start or beside it, and says
// what to do.

import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import { GridsealError } from "../../errors.js";
import { type NodeConfiguration, readNodeConfiguration } from "../../node/configuration.js";
import { readTls } from "../../node/node-files.js";
import { several } from "../../terminal/arguments.js";
import { countText, printLines, toJson } from "../../terminal/output.js";
import { type Finding, pass, worstOf } from "./findings.js";
import { failureOf, lookAtCertificates, lookAtData, lookAtIdentity, lookAtPorts } from "./machine.js";
import { lookAtApi, lookAtBroker, lookAtOwn, lookAtPeers } from "./others.js";

interface DoctorOptions {
  readonly api: readonly string[];
  readonly json?: true;
}

export function registerDoctor(program: Command): void {
  program
    .command("doctor")
    .description("look over a node: configuration, key, certificates, disk, ports, peers, broker, clock, versions")
    .argument("[config]", "the node's node.json, or its folder; this folder where no --api is given either")
    .option("--api <url>", "API of another node: its health, clock and version (repeatable)", several, [])
    .option("--json", "print JSON")
    .action(doctor);
}

async function doctor(config: string | undefined, options: DoctorOptions): Promise<void> {
  const path = config ?? (options.api.length === 0 ? "." : undefined);
  const [own, ...others] = await Promise.all([
    path === undefined ? { findings: [], nodeRuns: false } : lookAtNode(path),
    ...options.api.map((api) => lookAtApi(api)),
  ]);
  const findings = [...own.findings, ...others.flat()];
  const status = worstOf(findings);
  printLines(options.json ? [toJson({ status, findings })] : findings.flatMap(linesOf));
  if (status !== "fail" && path !== undefined && !own.nodeRuns && !options.json)
    printLines([`next: gridseal node run ${path}`]);
  const failed = findings.filter((finding) => finding.status === "fail").length;
  if (failed > 0)
    throw new GridsealError(
      "NODE_UNFIT",
      `${path ?? options.api.join(", ")}: ${countText(failed, "check")} of ${findings.length} failed`,
    );
}

function linesOf({ status, check, output, remedy }: Finding): string[] {
  const line = `${status}  ${check.padEnd(13)}  ${output}`;
  return remedy === undefined ? [line] : [line, `      ${remedy}`];
}

/** What does not depend on what failed is looked at all the same. */
async function lookAtNode(
  path: string,
): Promise<{ readonly findings: readonly Finding[]; readonly nodeRuns: boolean }> {
  let configuration: NodeConfiguration;
  try {
    configuration = await readNodeConfiguration(path);
  } catch (thrown) {
    return { findings: [failureOf("configuration", thrown)], nodeRuns: false };
  }
  const { identity, findings: key } = await lookAtIdentity(configuration);
  const id = identity === undefined ? undefined : toHex(identity.self.id);
  const certificates = id === undefined ? [] : await lookAtCertificates(configuration, id, Date.now());
  const { nodeRuns, findings: data } = await lookAtData(configuration);
  const ports = await lookAtPorts(configuration, nodeRuns);
  const isSound = identity !== undefined && id !== undefined && worstOf(certificates) !== "fail";
  const names = new Map(identity?.genesis.nodes.map((node) => [toHex(node.id), node.name]));
  const peers = isSound ? lookAtPeers(configuration, await readTls(configuration, id), names) : [];
  const others = [peers, lookAtBroker(configuration), nodeRuns ? lookAtOwn(configuration) : []];
  const reached = (await Promise.all(others)).flat();
  const findings = [
    pass("configuration", `${path} is as docs/configuration.md says`),
    ...key,
    ...certificates,
    ...data,
    ...ports,
    ...reached,
  ];
  return { findings, nodeRuns };
}

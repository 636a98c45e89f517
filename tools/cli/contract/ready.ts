// `gridseal contract ready`: runs a contract's vectors on a node's machine, and signs that they are good for the order that installs it.

import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import { signTried } from "../../../src/wire/contract-order.js";
import { sha256 } from "../../../src/wire/hash.js";
import { writeTried } from "../../authority/tried.js";
import { GridsealError } from "../../errors.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { readKeyFile } from "../../files/key-file.js";
import { readWhole } from "../../files/made-once.js";
import { readNodeConfiguration } from "../../node/configuration.js";
import { testContract } from "../../provisioning/contracts/trying.js";
import { VECTORS_BYTES_MAX, vectorsPathOf } from "../../provisioning/contracts/vectors.js";
import { several } from "../../terminal/arguments.js";
import { printLines, toJson } from "../../terminal/output.js";
import { serviceNumber } from "../operation/sign.js";
import { actionOf, type TermsOptions, withTerms } from "./terms.js";

interface ReadyOptions extends TermsOptions {
  readonly node: readonly string[];
  readonly out: string;
  readonly json?: true;
}

export function registerContractReady(contract: Command): void {
  withTerms(
    contract
      .command("ready")
      .description("run a contract's vectors on this machine and sign that its node is ready for it")
      .argument("<file>", "the contract's source"),
  )
    .requiredOption("--node <config>", "the node's node.json, or its folder (repeatable)", several)
    .requiredOption("-o, --out <file>", "file to make")
    .option("--json", "print JSON")
    .action(ready);
}

async function ready(file: string, options: ReadyOptions): Promise<void> {
  const { name, revision, budget, pages, output, out } = options;
  const path = vectorsPathOf(file, options.vectors);
  const { bundle, tried, complaint } = await testContract(file, path, { budget, pages, output });
  if (complaint !== undefined) throw new GridsealError("CONTRACT_FAILED", complaint);
  const vectors = sha256(await readWhole(path, VECTORS_BYTES_MAX));
  const configurations = await Promise.all(options.node.map(readNodeConfiguration));
  const [first, ...others] = await Promise.all(
    configurations.map(async ({ genesis }) => (await readGenesisFile(genesis)).genesis),
  );
  if (others.some(({ hash }) => toHex(hash) !== toHex(first!.hash))) {
    throw new GridsealError("USAGE", "the nodes are of several networks: make a file for each");
  }
  const chain = serviceNumber(first!, options.service);
  const said = actionOf(options, { service: chain, source: bundle.hash, vectors });
  const keys = await Promise.all(configurations.map(({ key }) => readKeyFile(key)));
  await writeTried(out, said, signTried(first!.hash, said, keys));
  const names = configurations.map((configuration) => configuration.name);
  if (options.json) return printLines([toJson({ file: out, source: bundle.hash, vectors, nodes: names })]);
  printLines([
    `${out}: ${names.join(", ")} ran ${tried.length} vectors of ${name} ${revision}, ${toHex(bundle.hash)}, ready for chain ${chain}`,
    `next: gridseal contract propose ${file} --ready ${out} ..., on the same terms, once a quorum of members is ready`,
  ]);
}

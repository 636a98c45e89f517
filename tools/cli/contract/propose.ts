// `gridseal contract propose`: an order that installs a contract, signed into a file with its source, once all of its vectors are good.

import type { Command } from "commander";
import { sha256 } from "../../../src/wire/hash.js";
import { readTried } from "../../authority/tried.js";
import { GridsealError } from "../../errors.js";
import { readWhole } from "../../files/made-once.js";
import { testContract } from "../../provisioning/contracts/trying.js";
import { VECTORS_BYTES_MAX, vectorsPathOf } from "../../provisioning/contracts/vectors.js";
import { several } from "../../terminal/arguments.js";
import { governanceFor } from "../authority/governance.js";
import { type MakeOptions, makeOrder, withOrderOptions } from "../authority/order/make-order.js";
import { namedService } from "../authority/order/named-chain.js";
import { actionOf, type TermsOptions, withTerms } from "./terms.js";

interface ProposeOptions extends MakeOptions, TermsOptions {
  readonly ready: readonly string[];
}

export function registerPropose(contract: Command): void {
  const command = withOrderOptions(
    contract
      .command("propose")
      .description(
        "sign an order that installs a contract, once its vectors are good on a quorum of the chain's members",
      )
      .argument("<file>", "the contract's source"),
  );
  withTerms(command)
    .option("--ready <file>", "READY of nodes that have run its vectors (repeatable)", several, [])
    .action(propose);
}

async function propose(file: string, options: ProposeOptions): Promise<void> {
  const path = vectorsPathOf(file, options.vectors);
  const { budget, pages, output } = options;
  const { bundle, complaint } = await testContract(file, path, { budget, pages, output });
  if (complaint !== undefined) throw new GridsealError("CONTRACT_FAILED", complaint);
  const vectors = sha256(await readWhole(path, VECTORS_BYTES_MAX));
  const governance = await governanceFor(options);
  const service = namedService(governance, options.service);
  const action = actionOf(options, { service, source: bundle.hash, vectors });
  const ready = await readTried(options.ready, governance.genesis, action);
  await makeOrder({ ...action, ready }, governance, { ...options, source: bundle.source });
}

// `gridseal access policy`: the access policy of a chain, as sealed orders have it, for programs that read ODRL.

import type { Command } from "commander";
import { HEIGHT_MAX } from "../../../src/wire/bounds.js";
import { GridsealError } from "../../errors.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { contractsAt } from "../../ledger/contract-orders.js";
import { governedHeight } from "../../ledger/governance.js";
import type { SourceOptions } from "../../sources/open.js";
import { withNode } from "../../terminal/arguments.js";
import { printText } from "../../terminal/output.js";
import { namedService } from "../authority/order/named-chain.js";
import { sealedGovernance } from "../contract/list.js";
import { odrlPolicy } from "./odrl.js";

interface PolicyOptions extends SourceOptions {
  readonly service: string;
}

export function registerPolicy(access: Command): void {
  withNode(access.command("policy").description("print a chain's access policy as ODRL in JSON-LD"))
    .requiredOption("--service <name>", "name or number of the service whose chain has the contract")
    .action(policy);
}

async function policy(options: PolicyOptions): Promise<void> {
  const governance = await sealedGovernance(options);
  const service = namedService(governance, options.service);
  const place = { service, height: HEIGHT_MAX, judgedAt: governedHeight(governance) };
  const found = contractsAt(governance.contracts, place).find(({ install }) => install.name === "access");
  if (found === undefined) throw new GridsealError("NOT_FOUND", `chain ${options.service} has no contract access`);
  const { network } = (await readGenesisFile(options.genesis!)).genesis;
  const policies = found.parameters.map(({ jurisdiction, parameters }) =>
    odrlPolicy({ network, service, jurisdiction, parameters }),
  );
  printText(`${JSON.stringify(policies, null, 2)}\n`);
}

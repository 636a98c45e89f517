// `gridseal access permission`: a request as a document that market systems read.

import type { Command } from "commander";
import { GridsealError } from "../../errors.js";
import { type SourceOptions, withNodeSource } from "../../sources/open.js";
import { chainOfSource } from "../../sources/source.js";
import { withNode } from "../../terminal/arguments.js";
import { printText } from "../../terminal/output.js";
import { entriesOf, textOf } from "./list.js";
import { type DocumentedRequest, permissionDocument } from "./permission-document.js";

interface PermissionOptions extends SourceOptions {
  readonly service: string;
}

export function registerPermission(access: Command): void {
  withNode(access.command("permission").description("print a request as a permission document of CIM, in JSON"))
    .argument("<request>", "as `access request` has named it")
    .requiredOption("--service <name>", "name or number of the service whose chain has the contract")
    .action(permission);
}

async function permission(request: string, options: PermissionOptions): Promise<void> {
  await withNodeSource(options, async (source) => {
    const { service } = await chainOfSource(source, options.service);
    const { network } = await source.genesis();
    for await (const [name, value] of entriesOf(source, service, "request/")) {
      if (name !== request) continue;
      const found = value as unknown as DocumentedRequest["request"];
      if (found.meter === undefined) {
        throw new GridsealError("USAGE", `request ${request} is for sums over a group, which are no metering point's`);
      }
      const text = await textOf(source, service, found.need);
      const document = permissionDocument({ name, request: found, network, text });
      return printText(`${JSON.stringify(document, null, 2)}\n`);
    }
    throw new GridsealError("NOT_FOUND", `chain ${options.service} has no request ${request}`);
  });
}

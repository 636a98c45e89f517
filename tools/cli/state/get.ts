// `gridseal state get`: what a contract remembers under a key, or that it remembers nothing; with a file that proves it.

import type { Command } from "commander";
import { concatBytes } from "../../../src/wire/bytes.js";
import { lineageUpTo } from "../../../src/wire/lineage.js";
import { readOrder } from "../../../src/wire/order.js";
import { GridsealError } from "../../errors.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { createFile } from "../../files/made-once.js";
import { type SourceOptions, withNodeSource } from "../../sources/open.js";
import { chainOfSource, type ReceiptSource } from "../../sources/source.js";
import { withNode } from "../../terminal/arguments.js";
import { printLines, toJson } from "../../terminal/output.js";
import { contractName } from "../contract/terms.js";
import { checkedText, toldText } from "../told.js";
import { checkStateProof, proofView, readStateProof, valueText } from "./read-state-proof.js";

interface GetOptions extends SourceOptions {
  readonly service: string;
  readonly contract: string;
  readonly proof?: true;
  readonly out?: string;
  readonly json?: true;
}

export function registerGet(state: Command): void {
  withNode(
    state
      .command("get")
      .description("show what a contract remembers under a key after the newest block, or that it is nothing"),
  )
    .argument("<key>", "the contract's own key")
    .requiredOption("--service <name>", "name or number of the chain's service")
    .requiredOption("--contract <name>", "the contract", contractName)
    .option("--proof", "make a file that proves it without any node")
    .option("-o, --out <file>", "file to make: the proof, or without --proof the value as JSON")
    .option("--json", "print JSON")
    .action(get);
}

/** Whether an order has ever installed the contract on the chain, as the node says. */
async function wasInstalled(source: ReceiptSource, service: number, contract: string): Promise<boolean> {
  for await (const { bytes } of source.orders()) {
    const { action } = readOrder(bytes);
    if (action.type === "install" && action.service === service && action.name === contract) return true;
  }
  return false;
}

async function get(key: string, options: GetOptions): Promise<void> {
  const { contract, proof: wantsProof, out } = options;
  if (wantsProof && out === undefined) throw new GridsealError("USAGE", "name the file of the proof with --out");
  await withNodeSource(options, async (source) => {
    const { service, name } = await chainOfSource(source, options.service);
    const bytes = await source.stateProof(service, contract, key);
    if (bytes === undefined) throw new GridsealError("NOT_FOUND", `${source.origin} has no block of ${name} yet`);
    const file = readStateProof(bytes, source.origin);
    const { proof } = file;
    if (proof.chain !== service || proof.key !== `${contract}/${key}`) {
      throw new GridsealError("RECEIPT_INVALID", `${source.origin} answers with the proof of ${proof.key}`);
    }
    const lineage = lineageUpTo(await source.lineage(service), proof.height);
    const genesis = options.genesis === undefined ? undefined : (await readGenesisFile(options.genesis)).genesis;
    if (genesis !== undefined) checkStateProof({ proof, lineage }, genesis, source.origin);
    const view = proofView(proof);
    if (!view.isThere && !(await wasInstalled(source, service, contract))) {
      throw new GridsealError(
        "NOT_FOUND",
        `${name} never had a contract ${contract}: gridseal contract list has those it had`,
      );
    }
    const made = wantsProof ? concatBytes(bytes, ...lineage) : new TextEncoder().encode(`${toJson(view.value)}\n`);
    if (out !== undefined) await createFile(out, made);
    const word =
      genesis === undefined
        ? toldText(source.origin, "--genesis FILE checks it")
        : checkedText("by a proof of the chain's state", genesis);
    printLines(
      options.json
        ? [
            toJson({
              ...view,
              name,
              checked: genesis !== undefined,
              ...(out !== undefined && { file: out }),
            }),
          ]
        : [
            valueText(view),
            `${proof.key} of ${name} after block ${proof.height}`,
            word,
            ...(out === undefined ? [] : [`${out} ${wantsProof ? "proves it" : "has it"}`]),
          ],
    );
  });
}

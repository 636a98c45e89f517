// `gridseal order submit`: brings an order to the network and waits until it is sealed.

import type { Command } from "commander";
import { equalBytes } from "../../../src/wire/bytes.js";
import { ORDER_WITH_SOURCE_BYTES_MAX } from "../../../src/wire/contract-order.js";
import { type Order, readOrder } from "../../../src/wire/order.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { readWhole } from "../../files/made-once.js";
import { withNodeSource } from "../../sources/open.js";
import type { ReceiptSource } from "../../sources/source.js";
import { printLines, toJson } from "../../terminal/output.js";
import { orderView } from "./view.js";

interface SubmitOptions {
  readonly api: string;
  readonly genesis: string;
  readonly json?: true;
}

/** How long a submitted order is waited for. */
const SEALED_WITHIN_MS = 60_000;
const POLL_MS = 500;

export function registerSubmit(order: Command): void {
  order
    .command("submit")
    .description("bring an order to the network and wait until it is sealed")
    .argument("<file>", "order that the authority has signed")
    .requiredOption("--api <url>", "API of a node that serves the contracts chain, http://host:port")
    .requiredOption("--genesis <file>", "the network's genesis")
    .option("--json", "print JSON")
    .action(submit);
}

async function submit(file: string, options: SubmitOptions): Promise<void> {
  const { genesis } = await readGenesisFile(options.genesis);
  const bytes = await readWhole(file, ORDER_WITH_SOURCE_BYTES_MAX);
  let order: Order;
  try {
    order = readOrder(bytes, genesis);
  } catch (cause) {
    throw new GridsealError("ORDER_REFUSED", `${file} is no order for this network: ${reasonOf(cause)}`, { cause });
  }
  // Submitted a second time, it is where it was.
  const before = await withNodeSource({ api: options.api }, (source) => sealedAs(source, order.number));
  if (before === undefined || !equalBytes(before.bytes, bytes)) {
    const { postOrder } = await import("../../sources/api.js"); // on use, as sources/open.ts does
    await postOrder(options.api, bytes);
  }
  const contractsHeight = await withNodeSource({ api: options.api }, (source) =>
    waitUntilSealed(source, order.number, bytes),
  );
  const view = { ...orderView(order), contractsHeight };
  if (options.json) return printLines([toJson(view)]);
  printLines([
    `order ${order.number} is sealed in contracts block ${contractsHeight}: ${view.what}`,
    `next: gridseal network show --genesis ${options.genesis} --api ${options.api}    what holds by now`,
  ]);
}

/** The sealed order of this number. */
async function sealedAs(source: ReceiptSource, number: number) {
  let next = 1;
  for await (const sealed of source.orders()) {
    if (next === number) return sealed;
    next += 1;
  }
  return undefined;
}

async function waitUntilSealed(source: ReceiptSource, number: number, bytes: Uint8Array): Promise<number> {
  const end_ms = Date.now() + SEALED_WITHIN_MS;
  while (Date.now() < end_ms) {
    const sealed = await sealedAs(source, number);
    if (sealed !== undefined) {
      if (equalBytes(sealed.bytes, bytes)) return sealed.contractsHeight;
      throw new GridsealError("ORDER_REFUSED", `another order ${number} was sealed in its place`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new GridsealError(
    "NODE_UNREACHABLE",
    `order ${number} was taken and is not sealed yet: too few nodes may be up`,
  );
}

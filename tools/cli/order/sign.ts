// `gridseal order sign`: adds the signature of another key of the authority to an order that needs several.

import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import { ORDER_WITH_SOURCE_BYTES_MAX, travellingOrder, withSource } from "../../../src/wire/contract-order.js";
import { WireError } from "../../../src/wire/error.js";
import { keyId } from "../../../src/wire/key.js";
import { ORDER_BYTES_MAX, readOrder } from "../../../src/wire/order.js";
import { addOrderSignature, orderSignatures } from "../../../src/wire/order-signatures.js";
import { readSealedOrOpenKey } from "../../authority/sealed-key.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { GridsealError } from "../../errors.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { createFile, readWhole, refuseExisting } from "../../files/made-once.js";
import { printLines, printNote, toJson } from "../../terminal/output.js";
import { type PassphraseOptions, readPassphrase } from "../../terminal/passphrase.js";
import { withPassphrase } from "../authority/authority-options.js";
import { orderView } from "./view.js";

interface SignOptions extends PassphraseOptions {
  readonly genesis: string;
  readonly key: string;
  readonly out: string;
  readonly json?: true;
}

export function registerSign(order: Command): void {
  withPassphrase(
    order
      .command("sign")
      .description("add the signature of another key of the authority to an order that needs several"),
  )
    .argument("<file>", "order that another key has signed")
    .requiredOption("--genesis <file>", "the network's genesis")
    .requiredOption("--key <file>", "key file, of `gridseal authority key`, that signs too")
    .requiredOption("-o, --out <file>", "file to make")
    .option("--json", "print JSON")
    .action(sign);
}

async function sign(file: string, options: SignOptions): Promise<void> {
  const { out } = options;
  await refuseExisting(out);
  const { genesis } = await readGenesisFile(options.genesis);
  const { ordering } = genesis;
  if (ordering === undefined) {
    throw new GridsealError(
      "ORDER_REFUSED",
      `orders of network ${genesis.network} have one signature, of the authority's key`,
    );
  }
  const bytes = await readWhole(file, ORDER_WITH_SOURCE_BYTES_MAX);
  let signed: Uint8Array;
  try {
    const view = orderView(readOrder(bytes, genesis));
    const { order, source } = travellingOrder(bytes);
    orderSignatures(order, genesis, nodeVerify);
    // What is signed is shown before the key is asked for.
    printNote(`order ${view.number}, ${view.what}`);
    const signer = await readSealedOrOpenKey(options.key, () => readPassphrase(options));
    signed = addOrderSignature(order, { ordering, size: ORDER_BYTES_MAX }, signer);
    const count = orderSignatures(signed, genesis, nodeVerify);
    await createFile(out, source === undefined ? signed : withSource(signed, source));
    const kid = toHex(keyId(signer.key));
    const { number, what } = view;
    printLines([
      options.json
        ? toJson({ file: out, number, what, kid, signatures: count.signed, needed: count.needed })
        : `${out}: order ${number} has ${count.signed} of ${count.needed} signatures; ${nextText(out, options, count)}`,
    ]);
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new GridsealError("ORDER_REFUSED", `${file} cannot be signed: ${cause.message}`, { cause });
  }
}

/** What is typed next: another key's signature, or what brings the order to a node. */
function nextText(
  out: string,
  { genesis }: SignOptions,
  { signed, needed }: { signed: number; needed: number },
): string {
  return signed < needed
    ? `next: gridseal order sign ${out} --key FILE --genesis ${genesis} -o FILE`
    : `next: gridseal order submit ${out} --api URL --genesis ${genesis}`;
}
